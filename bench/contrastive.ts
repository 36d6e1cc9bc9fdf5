import { globalContrast, localContrast } from '../src/autograd/ops/contrastive.ts';
import { noGrad } from '../src/autograd/tape.ts';
import { Tensor } from '../src/autograd/tensor.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import type { BenchCase, Scale } from './harness.ts';
import { backwardAndDrop, paddingMask, randomArray } from './harness.ts';

const options = {
  tau1: 0.1,
  tau2: 0.25,
  tau3: 0.2,
  attention: 'cosine',
  normalization: 'regions',
  aggregation: 'sum',
  eps: 1e-8,
} as const;

/** Reports with room for eight sentences, of which the last two are missing. */
const sentences = 8;

function localCases(batch: number, regions: number, width: number): BenchCase[] {
  const inputs = (gpu: Gpu, requiresGrad: boolean) => ({
    image: new Tensor(randomArray(gpu, [batch, regions, width], 1), { requiresGrad }),
    text: new Tensor(randomArray(gpu, [batch, sentences, width], 2), { requiresGrad }),
    mask: new Tensor(paddingMask(gpu, batch, sentences, sentences - 2)),
  });
  // Scores of every sentence with every region of every image, and what each sentence sees of each image.
  const flops = 4 * batch * batch * sentences * regions * width;
  const bytes = 4 * batch * (regions + sentences) * width;
  const name = `localContrast ${batch} of ${regions}x${width} and ${sentences} sentences`;
  return [
    {
      name,
      flops,
      bytes,
      prepare: (gpu) => {
        const { image, text, mask } = inputs(gpu, false);
        return () => noGrad(() => void localContrast(image, text, mask, options));
      },
    },
    {
      name: `${name}, gradients`,
      flops: 2 * flops,
      bytes: 2 * bytes,
      prepare: (gpu) => {
        const { image, text, mask } = inputs(gpu, true);
        const { lossVt, lossTv } = localContrast(image, text, mask, options);
        return () => backwardAndDrop([image, text], [lossVt, lossTv]);
      },
    },
  ];
}

function globalCases(batch: number, width: number): BenchCase[] {
  const inputs = (gpu: Gpu, requiresGrad: boolean) =>
    [1, 2].map((seed) => new Tensor(randomArray(gpu, [batch, width], seed), { requiresGrad })) as [Tensor, Tensor];
  const name = `globalContrast ${batch}x${width}`;
  const [flops, bytes] = [2 * batch * batch * width, 8 * batch * width];
  return [
    {
      name,
      flops,
      bytes,
      prepare: (gpu) => {
        const [image, report] = inputs(gpu, false);
        return () => noGrad(() => void globalContrast(image, report, options));
      },
    },
    {
      name: `${name}, gradients`,
      flops: 2 * flops,
      bytes: 2 * bytes,
      prepare: (gpu) => {
        const leaves = inputs(gpu, true);
        const { lossVt, lossTv } = globalContrast(...leaves, options);
        return () => backwardAndDrop(leaves, [lossVt, lossTv]);
      },
    },
  ];
}

/** The paper's 14x14 regions. A single pair has nothing to be told from, so there are eight at least. */
export const cases = ({ batch }: Scale): BenchCase[] => [
  ...localCases(Math.max(8, batch), 196, 768),
  ...globalCases(Math.max(8, batch), 768),
];
