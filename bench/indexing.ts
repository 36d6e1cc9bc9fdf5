import { gather, gatherGrad, indexSelect, indexSelectGrad } from '../src/kernels/indexing.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray, randomIndices } from './harness.ts';

/** BERT-base's table of words. */
const table = [28_996, 768] as const;

const embedding = (texts: readonly [number, number], selected: number): BenchCase[] => [
  {
    name: `embedding ${table.join('x')}, ${texts.join('x')} tokens`,
    flops: 0,
    bytes: 8 * selected,
    prepare: (gpu) => {
      const [weight, tokens] = [randomArray(gpu, table), randomIndices(gpu, texts, table[0])];
      return () => void indexSelect(weight, 0, tokens);
    },
  },
  {
    name: `embedding ${table.join('x')}, ${texts.join('x')} tokens, gradient`,
    flops: selected,
    // The gradient of the table is written as a whole.
    bytes: 4 * (selected + table[0] * table[1]),
    prepare: (gpu) => {
      const dy = randomArray(gpu, [...texts, table[1]]);
      const tokens = randomIndices(gpu, texts, table[0]);
      return () => void indexSelectGrad(dy, table, 0, tokens);
    },
  },
];

const selection = (rows: number, classes: number): BenchCase[] => [
  {
    name: `gather 1 of ${classes} in ${rows} rows`,
    flops: 0,
    bytes: 12 * rows,
    prepare: (gpu) => {
      const [x, index] = [randomArray(gpu, [rows, classes]), randomIndices(gpu, [rows, 1], classes)];
      return () => void gather(x, 1, index);
    },
  },
  {
    name: `gather 1 of ${classes} in ${rows} rows, gradient`,
    flops: 0,
    bytes: 4 * rows * classes,
    prepare: (gpu) => {
      const [dy, index] = [randomArray(gpu, [rows, 1]), randomIndices(gpu, [rows, 1], classes)];
      return () => void gatherGrad(dy, [rows, classes], 1, index);
    },
  },
];

export const cases = ({ batch }: Scale): BenchCase[] => [
  ...embedding([batch, 128], batch * 128 * table[1]),
  ...selection(128 * batch, 1000),
];
