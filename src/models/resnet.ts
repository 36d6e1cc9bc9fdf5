import { cast } from '../autograd/ops/cast.ts';
import { maxPool2d } from '../autograd/ops/pooling.ts';
import { mean } from '../autograd/ops/reductions.ts';
import { resizeBilinear } from '../autograd/ops/resizeBilinear.ts';
import { cat, expand, reshape } from '../autograd/ops/shape.ts';
import { type Tensor, tensor } from '../autograd/tensor.ts';
import { runBlock } from '../nn/block.ts';
import { centredFanOut, type Initializer, kaimingFanOut } from '../nn/init.ts';
import { BatchNorm2d, Conv2d } from '../nn/layers.ts';
import { Module } from '../nn/module.ts';

/** One stage: `blocks` bottlenecks with inner width `width`. */
export interface ResNetStage {
  readonly blocks: number;
  readonly width: number;
  /** Output channels; `4 * width` by default, as in every ResNet but the wide ones. */
  readonly channels?: number | undefined;
  /** Stride of the first block. */
  readonly stride: number;
  /** Of the 3x3 convolutions; 1 by default. Widens what a cell sees without making the map coarser. */
  readonly dilation?: number | undefined;
}

/** Stem and stages of a ResNet of bottleneck blocks. */
export interface ResNetConfig {
  /** 3 for networks whose weights expect colour; a grey image is then repeated. */
  readonly inChannels: 1 | 3;
  readonly stem: {
    readonly channels: number;
    readonly kernel: number;
    readonly stride: number;
    /** 3x3 max pool with stride 2 behind the stem. */
    readonly maxPool: boolean;
  };
  /**
   * Kernels start as their own mirror images, and the middle tap of 3x3 ones this many times larger than its neighbours;
   * absent = torchvision's start. Otherwise chance makes features lean to one side, and the contrast may settle on a
   * place beside the finding (docs/decisions/shifted-maps.md).
   */
  readonly centredStart?: number | undefined;
  /**
   * Two more input channels, the x and y of every pixel from -1 to 1 (Liu et al. 2018, arXiv 1807.03247): a cell knows
   * where it lies without having to see the rest of the body.
   */
  readonly coordinates?: boolean | undefined;
  /** One to four stages, `layer1` to `layer4`. */
  readonly stages: readonly ResNetStage[];
}

/** The published family: stem `width`, stages of inner width `width * 2^i` (He et al. 2015, arXiv 1512.03385). */
export function resNetConfig(blocks: readonly number[], width = 64): ResNetConfig {
  return {
    inChannels: 3,
    stem: { channels: width, kernel: 7, stride: 2, maxPool: true },
    stages: blocks.map((count, i) => ({ blocks: count, width: width * 2 ** i, stride: i === 0 ? 1 : 2 })),
  };
}

/** ResNet-50 (He et al. 2016, table 1). */
export const resNet50Config: ResNetConfig = resNetConfig([3, 4, 6, 3]);

/** Centres the stem's windows on the cells they stand for: 3 for the published 7x7 with stride 2. */
function stemPadding({ kernel, stride }: ResNetConfig['stem']): number {
  return Math.floor((kernel - stride + 1) / 2);
}

/** Where the cells of a feature map lie in a square image. */
export interface StageGeometry {
  /** Cells along a side. */
  readonly size: number;
  /** Pixels from one cell to the next. */
  readonly stride: number;
  /** Middle of the window that cell 0 looks at, in pixels from the middle of pixel 0. */
  readonly offset: number;
}

/** Geometry of the feature map of a stage (0 = `layer1`) for square images of `imageSize` pixels. */
export function stageGeometry({ stem, stages }: ResNetConfig, stage: number, imageSize: number): StageGeometry {
  let map: StageGeometry = { size: imageSize, stride: 1, offset: 0 };
  const apply = (kernel: number, stride: number, padding: number): void => {
    map = {
      size: Math.floor((map.size + 2 * padding - kernel) / stride) + 1,
      stride: map.stride * stride,
      offset: map.offset + ((kernel - 1) / 2 - padding) * map.stride,
    };
  };
  apply(stem.kernel, stem.stride, stemPadding(stem));
  if (stem.maxPool) apply(3, 2, 1);
  // Padding follows dilation, which therefore changes neither size nor place.
  for (const { stride } of stages.slice(0, stage + 1)) apply(3, stride, 1);
  return map;
}

/** Output channels of a bottleneck as a multiple of its inner width. */
export const bottleneckExpansion = 4;

export interface BottleneckOptions {
  /** 1 by default. */
  readonly dilation?: number | undefined;
  /** Output channels; `4 * width` by default. */
  readonly channels?: number | undefined;
  /** `kaimingFanOut` by default. */
  readonly initializer?: Initializer;
}

/** Bottleneck block with the stride in its 3x3 convolution (torchvision's form, "v1.5"). */
export class Bottleneck extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm2d;
  readonly downsample: readonly [Conv2d, BatchNorm2d] | undefined;

  /**
   * @param project whether the shortcut is a projection; it has to be where stride or channels change.
   * @param options dilation and start of the 3x3 kernel, output channels.
   */
  constructor(inChannels: number, width: number, stride: number, project?: boolean, options: BottleneckOptions = {}) {
    super();
    const { dilation = 1, initializer = kaimingFanOut, channels: outChannels = width * bottleneckExpansion } = options;
    const changes = stride !== 1 || inChannels !== outChannels;
    if (changes && project === false) {
      throw new Error(
        `A shortcut from ${inChannels} to ${outChannels} channels with stride ${stride} needs a projection.`,
      );
    }
    this.conv1 = new Conv2d(inChannels, width, 1, { bias: false });
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = new Conv2d(width, width, 3, { stride, padding: dilation, dilation, bias: false, initializer });
    this.bn2 = new BatchNorm2d(width);
    this.conv3 = new Conv2d(width, outChannels, 1, { bias: false });
    this.bn3 = new BatchNorm2d(outChannels);
    this.downsample =
      (project ?? changes)
        ? [new Conv2d(inChannels, outChannels, 1, { stride, bias: false }), new BatchNorm2d(outChannels)]
        : undefined;
  }

  /** `[batch, height, width, inChannels]` to `[batch, height / stride, width / stride, channels]`. */
  forward(x: Tensor): Tensor {
    const [projection, norm] = this.downsample ?? [];
    const shortcut = projection && norm ? norm.forward(projection.forward(x)) : x;
    const narrow = this.bn1.forward(this.conv1.forward(x), { relu: true });
    const mixed = this.bn2.forward(this.conv2.forward(narrow), { relu: true });
    return this.bn3.forward(this.conv3.forward(mixed), { relu: true, residual: shortcut });
  }
}

/** Feature maps `[batch, height, width, channels]` of a ResNet. */
export interface ResNetFeatures {
  readonly stem: Tensor;
  /** Output of each stage; `stages[2]` is `layer3`. */
  readonly stages: readonly Tensor[];
  /** Spatial mean of the last stage, `[batch, channels]`. */
  readonly global: Tensor;
}

/** `[batch, height, width, channels]` with two more channels: x and y, from -1 at the first pixel to 1 at the last. */
function withCoordinates(image: Tensor): Tensor {
  const { gpu } = image;
  const dtype = image.dtype === 'f16' ? 'f16' : 'f32';
  const [batch = 0, height = 0, width = 0] = image.shape;
  const ends = tensor(gpu, [-1, 1], [2]);
  const alongWidth = [1, 1, 2, 1];
  const alongHeight = [1, 2, 1, 1];
  const ramps = [alongWidth, alongHeight].map((shape) => {
    const ramp = resizeBilinear(reshape(ends, shape), [height, width], { alignCorners: true });
    return expand(cast(ramp, dtype), [batch, height, width, 1]);
  });
  return cat([image, ...ramps], 3);
}

/** ResNet with bottleneck blocks and without a classifier; parameters carry torchvision's names. */
export class ResNet extends Module {
  readonly config: ResNetConfig;
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: readonly Bottleneck[];
  readonly layer2: readonly Bottleneck[];
  readonly layer3: readonly Bottleneck[];
  readonly layer4: readonly Bottleneck[];

  constructor(config: ResNetConfig = resNet50Config) {
    super();
    if (config.stages.length < 1 || config.stages.length > 4) {
      throw new Error(`A ResNet has one to four stages, not ${config.stages.length}.`);
    }
    const { channels, kernel, stride } = config.stem;
    const initializer = config.centredStart === undefined ? kaimingFanOut : centredFanOut(config.centredStart);
    this.config = config;
    this.conv1 = new Conv2d(config.inChannels + (config.coordinates ? 2 : 0), channels, kernel, {
      stride,
      padding: stemPadding(config.stem),
      bias: false,
      initializer,
    });
    this.bn1 = new BatchNorm2d(channels);
    let inChannels = channels;
    const stage = (index: number): Bottleneck[] => {
      const none: ResNetStage = { blocks: 0, width: 0, stride: 1 };
      const { blocks, width, stride: first, dilation, channels: outChannels } = config.stages[index] ?? none;
      return Array.from({ length: blocks }, (_, i) => {
        const block = new Bottleneck(inChannels, width, i === 0 ? first : 1, undefined, {
          dilation,
          initializer,
          channels: outChannels,
        });
        inChannels = outChannels ?? width * bottleneckExpansion;
        return block;
      });
    };
    this.layer1 = stage(0);
    this.layer2 = stage(1);
    this.layer3 = stage(2);
    this.layer4 = stage(3);
  }

  /** Channels of the stage with this index (0 = `layer1`). */
  channels(stage: number): number {
    const { width = 0, channels } = this.config.stages[stage] ?? {};
    return channels ?? width * bottleneckExpansion;
  }

  /** `[batch, height, width, inChannels]` to the features of every stage. */
  forward(image: Tensor): ResNetFeatures {
    const input = this.config.coordinates ? withCoordinates(image) : image;
    const edges = this.bn1.forward(this.conv1.forward(input), { relu: true });
    const stem = this.config.stem.maxPool ? maxPool2d(edges, { kernel: 3, stride: 2, padding: 1 }) : edges;
    const stages: Tensor[] = [];
    let x = stem;
    for (const blocks of [this.layer1, this.layer2, this.layer3, this.layer4]) {
      if (blocks.length === 0) continue;
      for (const block of blocks) x = runBlock(block, [x], (input) => block.forward(input));
      stages.push(x);
    }
    return { stem, stages, global: mean(x, [1, 2]) };
  }
}
