import { describe, expect, it } from 'vitest';
import type { Mask } from '../../src/data/types.ts';
import { resampleImages } from '../../src/eval/bootstrap.ts';
import type { Grid } from '../../src/eval/maps.ts';
import {
  attentionOf,
  biovilScores,
  chexlocalizeCandidates,
  chexlocalizeScores,
  chexlocalizeThresholds,
  medklipScores,
  weightsOf,
} from '../../src/eval/peerPresets.ts';
import { type PeerRow, summarizePeer } from '../../src/eval/peerResults.ts';

const grid = (width: number, ...values: number[]): Grid => ({
  width,
  height: values.length / width,
  data: Float32Array.from(values),
});
const mask = (width: number, ...values: number[]): Mask => ({
  width,
  height: values.length / width,
  data: Uint8Array.from(values),
});

describe('biovil', () => {
  it('takes the cosines as they are', () => {
    // Over .1: two of which one is marked; over .2 and .3: the marked one; over .4 and .5: nothing, which counts 0.
    const scores = biovilScores(grid(4, 0.35, 0.15, 0, -0.5), mask(4, 1, 0, 0, 0));
    expect(scores.iou).toBeCloseTo((1 / 2 + 1 + 1 + 0 + 0) / 5, 6);
    expect(scores.dice).toBeCloseTo((2 / 3 + 1 + 1 + 0 + 0) / 5, 6);
    expect(scores.cnr).toBeGreaterThan(0);
    expect(scores.pointing).toBeNaN();
  });
});

describe('medklip', () => {
  const image = { width: 4, height: 2 };
  const whole = { x: 0, y: 0, ...image };

  it('marks cells of more than 1.568 times the mean weight, as squares of equal pixels', () => {
    // Two cells of 2 x 2 pixels: the limit is .784.
    const marked = mask(4, 1, 1, 0, 0, 1, 0, 0, 0);
    const scores = medklipScores({ grid: grid(2, 0.8, 0.2), frame: whole }, image, marked);
    expect(scores).toMatchObject({ iou: 3 / 4, dice: 6 / 7, pointing: 1 });
    const flat = medklipScores({ grid: grid(2, 0.7, 0.3), frame: whole }, image, marked);
    expect(flat).toMatchObject({ iou: 0, dice: 0, pointing: 1 });
  });

  it('counts a tie for the peak as a hit, and follows the frame of the grid', () => {
    const right = mask(4, 0, 0, 0, 1, 0, 0, 0, 0);
    expect(medklipScores({ grid: grid(2, 0.5, 0.5), frame: whole }, image, right).pointing).toBe(1);
    // The padded square around the image: rows 0 and 3 of four lie outside of it.
    const padded = medklipScores({ grid: grid(1, 0.9, 0.04, 0.03, 0.03) }, image, mask(4, 1, 1, 1, 1, 0, 0, 0, 0));
    expect(padded).toMatchObject({ iou: 0, pointing: 1 });
  });

  it('makes attention of cosines by softmax and of other maps by their sum', () => {
    const attention = attentionOf(grid(2, 0.3, 0.3 + 0.1 * Math.log(3)), 0.1);
    expect([...attention.data]).toEqual([expect.closeTo(0.25, 6), expect.closeTo(0.75, 6)]);
    expect([...weightsOf(grid(3, 1, -5, 3)).data]).toEqual([0.25, 0, 0.75]);
    expect([...weightsOf(grid(2, 0, 0)).data]).toEqual([0.5, 0.5]);
  });
});

describe('chexlocalize', () => {
  // Stretched to [0, 1]: 1 .5 .25 0.
  const map = grid(4, 4, 2, 1, 0);
  const marked = mask(4, 1, 1, 0, 0);

  it('chooses one threshold a class on validation phrases', () => {
    // Over .2: three of which two are marked; over .3 and .4: the two; from .5 on (strictly): one.
    expect(chexlocalizeCandidates(map, marked)).toEqual([2 / 3, 1, 1, 0.5, 0.5, 0.5, 0.5]);
    const chosen = chexlocalizeThresholds([
      { category: 'edema', iou: [0, 0.2, 0.9, 0, 0, 0, 0] },
      { category: 'edema', iou: [0, 0.8, 0, 0, 0, 0, 0] },
      { category: 'nodule', iou: [0, 0, 0, 0, 0, 0, 0.1] },
    ]);
    expect([...chosen]).toEqual([
      ['edema', 0.3],
      ['nodule', 0.8],
    ]);
  });

  it('scores at that threshold, and has no overlap for a class without validation phrase', () => {
    expect(chexlocalizeScores(map, marked, 0.8, 1)).toMatchObject({ iou: 0.5, dice: 2 / 3, pointing: 1 });
    expect(chexlocalizeScores(map, marked, undefined, 1)).toMatchObject({ iou: Number.NaN, pointing: 1 });
  });
});

describe('summarizePeer', () => {
  it('averages phrases and classes apart and leaves out what is not defined', () => {
    const row = (category: string, iou: number): PeerRow => ({
      studyId: category,
      category,
      scores: { iou, dice: Number.NaN, cnr: 0, pointing: 0 },
    });
    const rows = [row('edema', 0.2), row('edema', 0.4), row('nodule', 0.9), row('nodule', Number.NaN)];
    const { micro, macro } = summarizePeer('model', rows, resampleImages(['edema', 'nodule'], 20));
    expect(micro.iou.value).toBeCloseTo(0.5, 12);
    expect(micro.iou.count).toBe(3);
    expect(macro.iou).toBeCloseTo((0.3 + 0.9) / 2, 12);
    expect(macro.dice).toBeNaN();
  });
});
