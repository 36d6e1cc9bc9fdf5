import { describe, expect, it } from 'vitest';
import type { Box, Mask } from '../../src/data/types.ts';
import { type Grid, resizeBilinear } from '../../src/eval/maps.ts';
import { boxesToMask } from '../../src/eval/masks.ts';
import { countOverThresholds, meanOverThresholds, overlap } from '../../src/eval/metrics.ts';
import { type FixtureCase, HAS_FIXTURES, readFixtures } from './support/fixtures.ts';

describe.skipIf(!HAS_FIXTURES)('localisation fixtures', () => {
  const { cases, tensor } = HAS_FIXTURES ? readFixtures('localisation') : { cases: [], tensor: () => never() };

  it.each(cases.map((fixture) => [fixture.name, fixture] as const))('%s', (name, fixture) => {
    const similarity = tensor(`${name}/out/grid_similarity`);
    const truth = tensor(`${name}/in/gt`);
    const [height = 0, width = 0] = truth.shape;
    const mask: Mask = { width, height, data: Uint8Array.from(truth.data) };
    const boxes = (fixture.attrs.boxes_xywh as number[][]).map(
      ([x, y, w, h]) => ({ x, y, width: w, height: h }) as Box,
    );
    expect(boxesToMask(boxes, mask)).toEqual(mask);

    const [rows = 0, columns = 0] = similarity.shape;
    const grid: Grid = { width: columns, height: rows, data: Float32Array.from(similarity.data) };
    const map = resizeBilinear(grid, mask);
    check(fixture, 'map', map.data);

    const counts = countOverThresholds(map, mask, fixture.attrs.thresholds as number[]);
    const union = counts.predicted.map((p, k) => p + counts.groundTruth - counts.intersection[k]!);
    check(fixture, 'intersection', counts.intersection);
    check(fixture, 'predicted', counts.predicted);
    check(fixture, 'union', union);

    const { iou, dice } = overlap(counts);
    const zeroWhenEmpty = (values: readonly number[]) => values.map((value) => (Number.isNaN(value) ? 0 : value));
    check(fixture, 'iou', zeroWhenEmpty(iou));
    check(fixture, 'dice', zeroWhenEmpty(dice));
    check(fixture, 'mean_iou', [meanOverThresholds(iou, 'zero')]);
    check(fixture, 'mean_dice', [meanOverThresholds(dice, 'zero')]);
  });

  function check(fixture: FixtureCase, output: string, got: ArrayLike<number>): void {
    const { tensor: name, rtol, atol } = fixture.outputs.find((o) => o.name === output)!;
    const expected = tensor(name).data;
    expect(got.length, name).toBe(expected.length);
    for (let i = 0; i < expected.length; i++) {
      const allowed = atol + rtol * Math.abs(expected[i]!);
      if (!(Math.abs(got[i]! - expected[i]!) <= allowed)) {
        expect.fail(`${name}[${i}]: got ${got[i]}, expected ${expected[i]} within ${allowed}`);
      }
    }
  }
});

function never(): never {
  throw new Error('The fixtures are not here.');
}
