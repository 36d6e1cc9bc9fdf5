import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Peer } from '../childProcess.ts';
import type { Contender, Reply, Request } from '../protocol.ts';
import { maxSamples } from '../protocol.ts';
import type { Workload, WorkloadName } from '../workloads.ts';
import { workloads } from '../workloads.ts';

const modes: Readonly<Partial<Record<Contender, string>>> = {
  pytorch: 'fp32',
  'pytorch-tf32': 'tf32',
  'pytorch-amp': 'amp',
};

export const isPyTorch = (contender: Contender): boolean => contender in modes;

const python = (): string => process.env.GROUNDRAY_PYTHON ?? 'python3';

/** The variants of PyTorch that can be measured here: none without the package, reduced precision only on CUDA. */
export function findPyTorch(): readonly Contender[] {
  const { status, stdout } = spawnSync(python(), ['-c', 'import torch; print(torch.cuda.is_available())'], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) return [];
  return stdout.trim() === 'True' ? ['pytorch', 'pytorch-tf32', 'pytorch-amp'] : ['pytorch'];
}

/** PyTorch in a Python process. Inputs go through files, because JSON would take minutes for 25 million numbers. */
export class PythonPeer implements Peer {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly folder = mkdtempSync(join(tmpdir(), 'groundray-pytorch-'));
  private lastError = '';
  private waiting: ((reply: Reply) => void) | undefined;
  private ended: string | undefined;

  constructor(script = join(import.meta.dirname, 'worker.py')) {
    this.child = spawn(python(), [script]);
    createInterface({ input: this.child.stdout }).on('line', (line) => this.settle(JSON.parse(line) as Reply));
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.lastError = chunk.toString().trim().split('\n').at(-1) ?? '';
    });
    // A write to a process that has just died is told by its exit.
    this.child.stdin.on('error', () => undefined);
    this.child.on('error', (error) => this.end(`Python failed: ${error.message}`));
    this.child.on('exit', (code, signal) =>
      this.end(`Python ended with ${signal ?? `code ${code}`}: ${this.lastError}`),
    );
  }

  get alive(): boolean {
    return this.ended === undefined;
  }

  request(request: Request, timeoutMs: number): Promise<Reply> {
    if (this.ended !== undefined) return Promise.resolve({ kind: 'failed', reason: this.ended });
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.end(`It was stopped after ${(timeoutMs / 1000).toFixed(1)} s without an answer.`);
        this.child.kill('SIGKILL');
      }, timeoutMs);
      this.waiting = (reply) => {
        clearTimeout(timer);
        resolve(reply);
      };
      this.child.stdin.write(`${JSON.stringify(this.translate(request))}\n`);
    });
  }

  async close(): Promise<void> {
    this.end('The process was closed.');
    this.child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private translate(request: Request): object {
    if (request.kind === 'start') return { kind: 'start', mode: modes[request.options.contender] };
    if (request.kind !== 'prepare') return request;
    const { checkedRuns }: Workload = workloads[request.workload];
    return { ...request, checkedRuns, maxSamples, folder: this.writeInputs(request.workload) };
  }

  private writeInputs(workload: WorkloadName): string {
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder);
    const manifest = Object.entries(workloads[workload].inputs()).map(([name, { shape, data }], i) => {
      writeFileSync(join(this.folder, `${i}.bin`), data);
      return { name, shape, dtype: data instanceof Int32Array ? 'i32' : 'f32', file: `${i}.bin` };
    });
    writeFileSync(join(this.folder, 'manifest.json'), JSON.stringify(manifest));
    return this.folder;
  }

  private settle(reply: Reply): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.(reply);
  }

  private end(reason: string): void {
    this.ended ??= reason;
    this.settle({ kind: 'failed', reason: this.ended });
  }
}
