import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Peer } from '../../bench/peers/childProcess.ts';
import { ChildPeer } from '../../bench/peers/childProcess.ts';
import type { Reply, Request } from '../../bench/peers/protocol.ts';
import { sample } from '../../bench/peers/protocol.ts';
import { Session } from '../../bench/peers/session.ts';
import { runPeers } from '../../bench/peers/suite.ts';
import { comparison, formatHeader, formatRow, formatSummary } from '../../bench/peers/table.ts';
import { workloads } from '../../bench/peers/workloads.ts';

const adapter = { kind: 'software', vendor: 'test', architecture: '', description: 'Test', subgroupSize: 4 } as const;

describe('a library in a process of its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'groundray-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const module = join(folder, 'child.mjs');
  writeFileSync(
    module,
    `let ticks = 0;
    setInterval(() => ticks++, 5);
    process.on('message', (request) => {
      if (request.kind === 'dispose') process.send({ kind: 'disposed' });
      if (request.kind === 'prepare') process.send({ kind: 'failed', reason: String(ticks) });
      if (request.kind === 'time') { console.error('out of memory'); process.exit(3); }
    });`,
  );
  const start: Request = { kind: 'start', options: { contender: 'tfjs', adapter: 'auto', checks: false } };

  it('answers requests', async () => {
    const peer = new ChildPeer({ module });
    expect(await peer.request({ kind: 'dispose' }, 20_000)).toEqual({ kind: 'disposed' });
    expect(peer.alive).toBe(true);
    await peer.close();
    expect(peer.alive).toBe(false);
  });

  it.skipIf(process.platform === 'win32')('does nothing between requests', async () => {
    const peer = new ChildPeer({ module });
    const ticks = async (): Promise<number> => {
      const reply = await peer.request({ kind: 'prepare', workload: 'softmax' }, 20_000);
      return Number(reply.kind === 'failed' && reply.reason);
    };
    const before = await ticks();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await ticks()) - before).toBeLessThan(20);
    await peer.close();
  });

  it('is stopped when it does not answer in time', async () => {
    const peer = new ChildPeer({ module });
    await peer.request({ kind: 'dispose' }, 20_000);
    expect(await peer.request(start, 200)).toEqual({
      kind: 'failed',
      reason: 'It was stopped after 0.2 s without an answer.',
    });
    expect(peer.alive).toBe(false);
    expect(await peer.request({ kind: 'dispose' }, 200)).toMatchObject({ kind: 'failed' });
    await peer.close();
  });

  it('tells its last words when it ends by itself', async () => {
    const peer = new ChildPeer({ module });
    const reply = await peer.request({ kind: 'time', runs: 1 }, 20_000);
    expect(reply).toMatchObject({ kind: 'failed', reason: expect.stringContaining('The process ended with code 3') });
    await peer.close();
  });
});

describe('a session', () => {
  it('answers what it cannot do with a sentence', async () => {
    const session = new Session(async () => {
      throw new Error('There is no adapter.');
    });
    const options = { contender: 'tfjs', adapter: 'auto', checks: false } as const;
    expect(await session.answer({ kind: 'start', options })).toEqual({
      kind: 'failed',
      reason: 'There is no adapter.',
    });
    expect(await session.answer({ kind: 'time', runs: 1 })).toMatchObject({ kind: 'failed' });
    expect(await session.answer({ kind: 'dispose' })).toEqual({ kind: 'disposed' });
  });

  it('makes the runs that the workload checks, and collects the losses of train steps', async () => {
    let runs = 0;
    const session = new Session(async () => ({
      adapter,
      prepare: async () => ({
        note: 'fake',
        run: () => void runs++,
        sync: async () => undefined,
        results: async () => ({ loss: [10 - runs] }),
        dispose: () => undefined,
      }),
    }));
    await session.answer({ kind: 'start', options: { contender: 'tfjs', adapter: 'auto', checks: false } });
    const reply = await session.answer({ kind: 'prepare', workload: 'small CNN step' });
    expect(reply).toMatchObject({ kind: 'prepared', results: { losses: sample([9, 8, 7]) } });
  });
});

/** A library that answers at once; `tell` decides what. */
function fakePeer(tell: (request: Request, checks: boolean, contender: string) => Reply | undefined): Peer {
  let checks = false;
  let contender = '';
  let alive = true;
  const correct = sample(workloads['tiny operations'].reference(workloads['tiny operations'].inputs()).y);
  return {
    get alive() {
      return alive;
    },
    close: async () => {
      alive = false;
    },
    request: async (request) => {
      if (request.kind === 'start') ({ checks, contender } = request.options);
      const told = tell(request, checks, contender);
      if (told) return told;
      if (request.kind === 'start') return { kind: 'started', adapter };
      if (request.kind === 'time') return { kind: 'timed', ms: contender === 'groundray' ? 2 : 7 };
      if (request.kind === 'dispose') return { kind: 'disposed' };
      return { kind: 'prepared', note: 'fake', firstMs: 9, onceMs: 5, results: { y: correct } };
    },
  };
}

const taking = ['groundray', 'jax-js', 'tfjs', 'onnxruntime'] as const;

describe('the suite', () => {
  const run = (tell: Parameters<typeof fakePeer>[0]) =>
    runPeers({
      adapter: 'auto',
      only: 'tiny',
      contenders: taking,
      rounds: 3,
      makePeer: async () => fakePeer(tell),
    });
  const wrong: Reply = {
    kind: 'prepared',
    note: 'fake',
    firstMs: 1,
    onceMs: 1,
    results: { y: sample(new Float32Array(16)) },
  };

  it('measures whoever is right and says why the others are not there', async () => {
    const report = await run((request, _, contender) => {
      if (contender === 'tfjs' && request.kind === 'start') return { kind: 'failed', reason: 'No adapter.' };
      if (contender === 'onnxruntime' && request.kind === 'prepare')
        return { kind: 'unsupported', reason: 'It has no additions.' };
      return undefined;
    });
    const [row] = report.rows;
    expect(row?.cells.groundray).toMatchObject({ status: 'measured', medianMs: 2, samplesMs: [2, 2, 2], runs: 5 });
    expect(row?.cells.tfjs).toEqual({ status: 'failed', reason: 'not available: No adapter.' });
    expect(row?.cells.onnxruntime).toEqual({ status: 'unsupported', reason: 'It has no additions.' });
    expect(comparison(row!)).toEqual({ ours: 2, peer: 'jax-js', ms: 7, ratio: 3.5 });
  });

  it('does not count a wrong answer', async () => {
    const report = await run((request, _, contender) =>
      contender === 'jax-js' && request.kind === 'prepare' ? wrong : undefined,
    );
    expect(report.rows[0]?.cells['jax-js']).toMatchObject({
      status: 'wrong',
      reason: expect.stringContaining('"y" is wrong'),
    });
  });

  it('tries a wrong library again with bounds checks', async () => {
    const report = await run((request, checks, contender) =>
      contender === 'tfjs' && request.kind === 'prepare' && !checks ? wrong : undefined,
    );
    expect(report.rows[0]?.cells.tfjs).toMatchObject({ status: 'measured', note: "fake; needs Dawn's bounds checks" });
  });

  it('leaves out who runs on another adapter', async () => {
    const report = await run((request, _, contender) =>
      contender === 'tfjs' && request.kind === 'start'
        ? { kind: 'started', adapter: { ...adapter, description: 'Another' } }
        : undefined,
    );
    expect(report.rows[0]?.cells.tfjs).toEqual({ status: 'failed', reason: 'It runs on Another, the others on Test.' });
  });

  it('keeps what was measured before a library died', async () => {
    const report = await run((request, _, contender) =>
      contender === 'jax-js' && request.kind === 'time' ? { kind: 'failed', reason: 'It ended.' } : undefined,
    );
    expect(report.rows[0]?.cells['jax-js']).toEqual({ status: 'failed', reason: 'It ended.' });
    expect(report.rows[0]?.cells.groundray).toMatchObject({ status: 'measured' });
  });

  it('says which workloads there are if none is meant', async () => {
    await expect(runPeers({ adapter: 'auto', only: 'nothing' })).rejects.toThrow('No workload contains "nothing"');
  });
});

describe('the table of the peers', () => {
  it('aligns its columns and marks what is missing', async () => {
    const report = await runPeers({
      adapter: 'auto',
      only: 'tiny',
      contenders: taking,
      makePeer: async () =>
        fakePeer((request, _, contender) =>
          contender === 'tfjs' && request.kind === 'prepare'
            ? { kind: 'unsupported', reason: 'It has no additions.' }
            : undefined,
        ),
    });
    const [header, row] = [formatHeader(taking), formatRow(report.rows[0]!, taking)];
    expect(row).toHaveLength(header.length);
    expect(row).toMatch(/^1,000 chained additions of 16 numbers +2\.00 +7\.00 +- +7\.00 +3\.50x$/);
    expect(formatSummary(report)).toContain('tfjs, unsupported: It has no additions.');
    expect(formatSummary(report)).toContain('Adapter: Test (software adapter)');
  });
});
