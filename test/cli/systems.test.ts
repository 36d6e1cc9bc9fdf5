import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RESEARCH_NOTICE } from '../../src/eval/notice.ts';
import type { GroundingResult } from '../../src/eval/result.ts';
import { medKlipFindings } from '../../src/eval/systems/findings.ts';
import { encodeGrayPng } from '../../src/io/png.node.ts';
import { writeSafetensors } from '../../src/io/safetensors.ts';
import type { HostArray } from '../../src/nn/arena.ts';
import {
  bioVilImageState,
  clinicalBertState,
  cxrBertState,
  gloriaState,
  medKlipState,
  wrappedMedKlip,
} from '../support/systems/published.ts';
import { runCommand } from './support/commandLine.ts';

const folder = mkdtempSync(join(tmpdir(), 'groundray-systems-'));
const file = (name: string) => join(folder, name);
const words = 'left right effusion opacity pneumonia findings suggesting small lung no'.split(' ');
const vocabulary = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...words];
const data = file('data');
const chest = join(data, 'a.png');

beforeAll(() => {
  mkdirSync(data);
  const save = (name: string, state: ReadonlyMap<string, HostArray>) =>
    writeFileSync(file(name), writeSafetensors(state));
  const sizes = { vocabulary: vocabulary.length, positions: 24 };
  save('gloria.safetensors', gloriaState(sizes));
  save('image.safetensors', bioVilImageState());
  save('text.safetensors', cxrBertState(sizes));
  save('medklip.safetensors', wrappedMedKlip(medKlipState()));
  save('bert.safetensors', clinicalBertState(sizes));
  writeFileSync(file('vocab.txt'), `${vocabulary.join('\n')}\n`);
  writeFileSync(file('short.txt'), `${vocabulary.slice(0, -1).join('\n')}\n`);
  const book = medKlipFindings.map((name) => [name, `small ${name} left lung`]);
  writeFileSync(file('findings.json'), JSON.stringify(Object.fromEntries(book)));
  for (const [k, name] of ['a', 'b', 'c'].entries()) {
    const values = Float32Array.from({ length: 60 * 40 }, (_, i) => (((i % 60) * (k + 2)) % 37) / 37);
    writeFileSync(join(data, `${name}.png`), encodeGrayPng({ width: 60, height: 40, data: values }));
  }
  writeFileSync(
    join(data, 'manifest.csv'),
    'file,text,split\na.png,Left effusion.,test\nb.png,Right opacity.,test\nc.png,Left effusion.,validation\n',
  );
  writeFileSync(
    join(data, 'phrases.csv'),
    'image_id,phrase,category,x,y,width,height\na,left effusion,Pleural Effusion,5,20,15,15\n' +
      'b,small haze on the right,Lung Opacity,40,5,12,12\nc,left effusion,Pleural Effusion,5,22,12,12\n',
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const flagsOf = {
  gloria: ['--weights', file('gloria.safetensors'), '--vocab', file('vocab.txt')],
  biovil: ['--weights', file('image.safetensors'), file('text.safetensors'), '--vocab', file('vocab.txt')],
  medklip: [
    ...['--weights', file('medklip.safetensors'), file('bert.safetensors'), '--vocab', file('vocab.txt')],
    ...['--findings', file('findings.json')],
  ],
} as const;

describe('groundray evaluate --system', () => {
  it.each([
    ['gloria', 'GLoRIA', 19],
    ['biovil', 'BioViL', 15],
    ['medklip', 'MedKLIP', 14],
  ] as const)('measures %s beside the location priors and writes the same report', async (system, name, cells) => {
    const report = file(`report-${system}`);
    const { code, stdout, stderr } = await runCommand(
      ...['evaluate', '--system', system, ...flagsOf[system], '--data', data, '--report', report],
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${name} +0\\.\\d`, 'm'));
    expect(stdout).toMatch(/^two-lung Gaussian +0\.\d/m);
    expect(stdout).toContain(RESEARCH_NOTICE);
    const json: GroundingResult = JSON.parse(readFileSync(join(report, 'report.json'), 'utf8'));
    expect(json.model).toBe(name);
    expect(json.counts.phrases).toBe(2);
    expect(json.counts.validationPhrases).toBe(1);
    expect(json.protocol).toMatchObject({ grid: { width: cells, height: cells }, sigma: 1.5 });
    expect(existsSync(join(report, 'example-01.png'))).toBe(true);
  });

  it('prints JSON alone where asked to', async () => {
    const { stdout } = await runCommand(
      ...['evaluate', '--system', 'biovil', ...flagsOf.biovil, '--data', data, '--images', '1', '--json'],
      ...['--report', file('report-json')],
    );
    expect((JSON.parse(stdout) as GroundingResult).counts.images).toBe(1);
  });

  it.each([
    [['--system', 'gloria'], '--system gloria needs one --data: images and phrases'],
    [['--system', 'gloria', '--data', data], 'needs --weights <files...>: chexpert_resnet50.ckpt'],
    [['--system', 'gloria', '--weights', 'x', '--data', data], 'needs --vocab <file>'],
    [['--system', 'gloria', '--run', 'x', '--data', data], '--run and --system name two models'],
    [['--weights', 'x'], '--weights belongs to --system <name>; name one of gloria, biovil, medklip.'],
    [['--system', 'gloria', ...flagsOf.medklip, '--data', data], '--findings belongs to --system medklip'],
    [['--system', 'biovil', ...flagsOf.biovil, '--map', 'cosine', '--data', data], '--map belongs to --system gloria'],
    [['--system', 'medklip', ...flagsOf.medklip.slice(0, -2), '--data', data], 'needs --findings <file>'],
    [['--system', 'biovil', '--weights', file('none'), '--vocab', file('vocab.txt'), '--data', data], 'cannot be read'],
    [
      ['--system', 'biovil', ...flagsOf.biovil.slice(0, 3), '--vocab', file('short.txt'), '--data', data],
      'has 14 pieces, but the weights embed 15',
    ],
    [
      ['--system', 'medklip', ...flagsOf.biovil, '--findings', file('findings.json'), '--data', data],
      'is not all of MedKLIP',
    ],
    [['--system', 'biovil', ...flagsOf.gloria, '--data', data], 'is not all of BioViL'],
  ])('refuses %j with a sentence', async (flags, sentence) => {
    const { code, stderr } = await runCommand('evaluate', ...flags);
    expect(code).toBe(1);
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('refuses a class that MedKLIP does not know before it loads anything, and lists what it knows', async () => {
    const other = file('other');
    mkdirSync(other);
    writeFileSync(join(other, 'a.png'), readFileSync(chest));
    writeFileSync(join(other, 'manifest.csv'), 'file,text,split\na.png,Left haze.,test\n');
    writeFileSync(
      join(other, 'phrases.csv'),
      'image_id,phrase,category,x,y,width,height\na,left haze,covid-like,5,5,9,9\n',
    );
    const { code, stdout, stderr } = await runCommand(
      ...['evaluate', '--system', 'medklip', ...flagsOf.medklip, '--data', other],
    );
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/cannot look for "left haze" \(covid-like\), .* It knows 75: normal, clear, /);
  });
});

describe('groundray localize --system', () => {
  it('draws where a system finds a phrase and says what the similarity is', async () => {
    const out = file('found.png');
    const { code, stdout, stderr } = await runCommand(
      ...['localize', '--system', 'gloria', ...flagsOf.gloria, '--image', chest, '--out', out],
      ...['--phrase', 'small left effusion'],
    );
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('System: GLoRIA');
    expect(stdout).toContain('largest attention weight of any word');
    expect(stdout).toMatch(/similarity +0\.\d*[1-9]\d* at most/);
    expect(stdout).toContain(RESEARCH_NOTICE);
    expect(existsSync(out)).toBe(true);
  });

  it('has cosines of GLoRIA and of BioViL in [-1, 1] as JSON', async () => {
    for (const flags of [
      ['--system', 'gloria', ...flagsOf.gloria, '--map', 'cosine'],
      ['--system', 'biovil', ...flagsOf.biovil],
    ]) {
      const { stdout } = await runCommand('localize', ...flags, '--image', chest, '--phrase', 'left zebra', '--json');
      const { notice, similarity, phrases } = JSON.parse(stdout);
      expect([notice, similarity]).toEqual([RESEARCH_NOTICE, 'cosine']);
      expect(phrases[0].unknownWords).toEqual(['zebra']);
      expect(Math.abs(phrases[0].similarity.max)).toBeLessThanOrEqual(1.0001);
    }
  });

  it('refuses a phrase that MedKLIP cannot look for', async () => {
    const { code, stderr } = await runCommand(
      ...['localize', '--system', 'medklip', ...flagsOf.medklip, '--image', chest, '--phrase', 'left zebra'],
    );
    expect(code).toBe(1);
    expect(stderr).toContain('It knows 75: normal, clear');
  });
});
