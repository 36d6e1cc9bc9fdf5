import { binary } from './binary.ts';
import { addChannel, dropChannel, geometryWithAnotherChannel, wantsAnotherChannel } from './convChannels.ts';
import { type Conv2dGeometry, isMatmul, macs, phaseTaps, traffic } from './convGeometry.ts';
import { contiguous, reshape } from './copy.ts';
import { defineKernel } from './define.ts';
import { finishGemm, type GemmLoads, gemmGrid, gemmOutput, gemmVariants } from './gemm.ts';
import { matmul } from './matmul.ts';
import type { NDArray, ResultTarget } from './ndarray.ts';
import * as wgsl from './shaders.gen.ts';
import type { Shape } from './shape.ts';
import { planProduct } from './tuning/plans.ts';
import type { GemmProduct } from './tuning/product.ts';
import { type Multiply, repeatProduct } from './tuning/repeat.ts';

const conv2dParams = {
  batch: 'u32',
  height: 'u32',
  width: 'u32',
  inChannels: 'u32',
  outHeight: 'u32',
  outWidth: 'u32',
  outChannels: 'u32',
  kernelHeight: 'u32',
  kernelWidth: 'u32',
  strideHeight: 'u32',
  strideWidth: 'u32',
  padHeight: 'u32',
  padWidth: 'u32',
  dilationHeight: 'u32',
  dilationWidth: 'u32',
  groups: 'u32',
  depth: 'u32',
  splits: 'u32',
  splitDepth: 'u32',
} as const;

const bindings = ['read', 'read', 'read', 'write'] as const;

const forwardKernel = defineKernel({
  name: 'conv2dForward',
  shader: wgsl.conv2dForward,
  params: conv2dParams,
  bindings,
  typed: [0, 1, 2, 3],
  variants: gemmVariants({
    plain: { A_ALONG_K: true, B_ALONG_K: true, HAS_BIAS: false },
    bias: { A_ALONG_K: true, B_ALONG_K: true, HAS_BIAS: true },
  }),
  dispatch: (p, constants) =>
    gemmGrid(p.batch * p.outHeight * p.outWidth, p.outChannels, p.groups * p.splits, constants),
  cost: (p) => ({ flops: 2 * macs(p), bytes: traffic(p) }),
});

const inputGradKernel = defineKernel({
  name: 'conv2dInputGrad',
  shader: wgsl.conv2dInputGrad,
  params: {
    ...conv2dParams,
    phaseHeight: 'u32',
    phaseWidth: 'u32',
    tapStartHeight: 'u32',
    tapStartWidth: 'u32',
    tapStepHeight: 'u32',
    tapStepWidth: 'u32',
    tapsWidth: 'u32',
  },
  bindings,
  typed: [0, 1, 2, 3],
  variants: gemmVariants({
    plain: { A_ALONG_K: true, B_ALONG_K: false },
    plainAdd: { A_ALONG_K: true, B_ALONG_K: false, ACCUMULATE: true },
  }),
  dispatch: (p, constants) => {
    const rows = Math.ceil((p.height - p.phaseHeight) / p.strideHeight);
    const cols = Math.ceil((p.width - p.phaseWidth) / p.strideWidth);
    return gemmGrid(p.batch * rows * cols, p.inChannels, p.groups * p.splits, constants);
  },
  cost: (p) => ({ flops: (2 * macs(p)) / (p.strideHeight * p.strideWidth), bytes: traffic(p) }),
});

const weightGradKernel = defineKernel({
  name: 'conv2dWeightGrad',
  shader: wgsl.conv2dWeightGrad,
  params: conv2dParams,
  bindings,
  typed: [0, 1, 2, 3],
  variants: gemmVariants({
    plain: { A_ALONG_K: false, B_ALONG_K: false },
    plainAdd: { A_ALONG_K: false, B_ALONG_K: false, ACCUMULATE: true },
  }),
  dispatch: (p, constants) =>
    gemmGrid(p.outChannels, p.kernelHeight * p.kernelWidth * p.inChannels, p.groups * p.splits, constants),
  cost: (p) => ({ flops: 2 * macs(p), bytes: traffic(p) }),
});

function loadsFor(g: Conv2dGeometry): GemmLoads {
  return g.inChannels % 4 === 0 && g.outChannels % 4 === 0 ? 'vec4' : 'scalar';
}

function productOf(
  kernel: GemmProduct['kernel'],
  g: Conv2dGeometry,
  fused: 'Bias' | 'Add' | '',
  [rows, cols, depth]: readonly [number, number, number],
  dtypes: GemmProduct['dtypes'],
): GemmProduct {
  const window = `${g.kernelHeight}x${g.kernelWidth}`;
  const strides = g.strideHeight * g.strideWidth > 1 ? `/${g.strideHeight}x${g.strideWidth}` : '';
  return {
    kernel,
    form: `${window}${strides}${fused}`,
    rows,
    cols,
    depth,
    batch: g.groups,
    loads: loadsFor(g),
    dtypes,
  };
}

// Apart from the functions below: what is kept for tuning must not see their arrays.
type MultiplyWith = (g: Conv2dGeometry) => Multiply;
const forwardWith: MultiplyWith = (g) => (x, w, bias) => conv2d(x, w, bias, g);
const inputGradWith: MultiplyWith = (g) => (dy, w, _bias, target) => conv2dInputGrad(dy, w, g, target);
const weightGradWith: MultiplyWith = (g) => (x, dy, _bias, target) => conv2dWeightGrad(x, dy, g, target);

const rowsOf = (x: NDArray): NDArray => reshape(x, [-1, x.shape.at(-1) ?? 1]);

/** `[N, H, W, C] * [O, KH, KW, C / groups] (+ bias [O]) -> [N, OH, OW, O]` of x's dtype, cross-correlation with zero padding. */
export function conv2d(x: NDArray, w: NDArray, bias: NDArray | undefined, g: Conv2dGeometry): NDArray {
  const channels = g.groups * g.outChannels;
  const shape = [g.batch, g.outHeight, g.outWidth, channels];
  if (isMatmul(g)) return reshape(matmul(rowsOf(x), rowsOf(w), { transposeB: true, bias }), shape);
  if (wantsAnotherChannel(g)) {
    const [image, filters] = [addChannel(x), addChannel(w)];
    const y = conv2d(image, filters, bias, geometryWithAnotherChannel(g));
    for (const widened of [image, filters]) widened.dispose();
    return y;
  }
  const rows = g.batch * g.outHeight * g.outWidth;
  const depth = g.kernelHeight * g.kernelWidth * g.inChannels;
  const dtypes = [x.dtype, w.dtype, x.dtype] as const;
  const product = productOf('conv2dForward', g, bias ? 'Bias' : '', [rows, g.outChannels, depth], dtypes);
  const plan = planProduct(x.gpu, product, () => repeatProduct(forwardWith(g), x, w, { bias }));
  const { core, splits, splitDepth } = plan;
  const output = gemmOutput(x.gpu, shape, plan, { dtype: x.dtype });
  const source = contiguous(x);
  const fused = bias !== undefined && splits === 1;
  const arrays = [source, contiguous(w), fused ? contiguous(bias) : source, output.written];
  forwardKernel.run(x.gpu, `${core}-${loadsFor(g)}-${fused ? 'bias' : 'plain'}`, arrays, {
    ...g,
    depth,
    splits,
    splitDepth,
  });
  const y = finishGemm(output, 1, splits);
  return bias && !fused ? binary('add', y, bias) : y;
}

/** The same product as a matrix product of pixels and channels, also where it ends in a target. */
function asMatmul(
  shape: Shape,
  target: ResultTarget | undefined,
  multiply: (target: ResultTarget | undefined) => NDArray,
): NDArray {
  if (!target) return reshape(multiply(undefined), shape);
  const flat = rowsOf(target.array);
  const result = multiply({ ...target, array: flat });
  return result === flat ? target.array : reshape(result, shape);
}

/** Gradient of the input `[N, H, W, C]` from `dy` `[N, OH, OW, O]`, in `target` where that pays. */
export function conv2dInputGrad(dy: NDArray, w: NDArray, g: Conv2dGeometry, target?: ResultTarget): NDArray {
  const shape = [g.batch, g.height, g.width, g.groups * g.inChannels];
  if (isMatmul(g)) return asMatmul(shape, target, (flat) => matmul(rowsOf(dy), rowsOf(w), { target: flat }));
  const rows = Math.ceil((g.batch * g.height * g.width) / (g.strideHeight * g.strideWidth));
  const fullDepth = g.kernelHeight * g.kernelWidth * g.outChannels;
  const meanDepth = Math.ceil(fullDepth / (g.strideHeight * g.strideWidth));
  const sum = target?.accumulate ? target.array : undefined;
  const dtypes = [dy.dtype, w.dtype, dy.dtype] as const;
  const product = productOf('conv2dInputGrad', g, sum ? 'Add' : '', [rows, g.inChannels, meanDepth], dtypes);
  const plan = planProduct(dy.gpu, product, () => repeatProduct(inputGradWith(g), dy, w, { sum }));
  const { core, splits } = plan;
  const output = gemmOutput(dy.gpu, shape, plan, { dtype: dy.dtype, target });
  const source = contiguous(dy);
  const filters = contiguous(w);
  for (let phaseHeight = 0; phaseHeight < Math.min(g.strideHeight, g.height); phaseHeight++) {
    const vertical = phaseTaps(phaseHeight, g.kernelHeight, g.strideHeight, g.padHeight, g.dilationHeight);
    for (let phaseWidth = 0; phaseWidth < Math.min(g.strideWidth, g.width); phaseWidth++) {
      const horizontal = phaseTaps(phaseWidth, g.kernelWidth, g.strideWidth, g.padWidth, g.dilationWidth);
      const depth = vertical.taps * horizontal.taps * g.outChannels;
      inputGradKernel.run(
        dy.gpu,
        `${core}-${loadsFor(g)}-plain${output.form}`,
        [source, filters, source, output.written],
        {
          ...g,
          depth,
          splits,
          splitDepth: Math.max(4, Math.ceil(depth / splits / 4) * 4),
          phaseHeight,
          phaseWidth,
          tapStartHeight: vertical.start,
          tapStartWidth: horizontal.start,
          tapStepHeight: vertical.step,
          tapStepWidth: horizontal.step,
          tapsWidth: Math.max(1, horizontal.taps),
        },
      );
    }
  }
  return finishGemm(output, 1, splits);
}

/** Gradient of the weight `[O, KH, KW, C / groups]`, always f32, from `x` `[N, H, W, C]` and `dy` `[N, OH, OW, O]`. */
export function conv2dWeightGrad(x: NDArray, dy: NDArray, g: Conv2dGeometry, target?: ResultTarget): NDArray {
  const shape = [g.groups * g.outChannels, g.kernelHeight, g.kernelWidth, g.inChannels];
  if (isMatmul(g)) {
    const options = { transposeA: true, dtype: 'f32' } as const;
    return asMatmul(shape, target, (flat) => matmul(rowsOf(dy), rowsOf(x), { ...options, target: flat }));
  }
  if (wantsAnotherChannel(g)) {
    const image = addChannel(x);
    const gradient = conv2dWeightGrad(image, dy, geometryWithAnotherChannel(g));
    image.dispose();
    return dropChannel(gradient);
  }
  const depth = g.batch * g.outHeight * g.outWidth;
  const cols = g.kernelHeight * g.kernelWidth * g.inChannels;
  const sum = target?.accumulate ? target.array : undefined;
  const dtypes = [dy.dtype, x.dtype, 'f32'] as const;
  const product = productOf('conv2dWeightGrad', g, sum ? 'Add' : '', [g.outChannels, cols, depth], dtypes);
  const plan = planProduct(x.gpu, product, () => repeatProduct(weightGradWith(g), x, dy, { sum }));
  const { core, splits, splitDepth } = plan;
  const output = gemmOutput(x.gpu, shape, plan, { target });
  const gradient = contiguous(dy);
  const arrays = [gradient, contiguous(x), gradient, output.written];
  weightGradKernel.run(x.gpu, `${core}-${loadsFor(g)}-plain${output.form}`, arrays, {
    ...g,
    depth,
    splits,
    splitDepth,
  });
  return finishGemm(output, 1, splits);
}
