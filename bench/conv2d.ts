import { conv2d, conv2dInputGrad, conv2dWeightGrad } from '../src/kernels/conv2d.ts';
import { conv2dGeometry } from '../src/kernels/convGeometry.ts';
import type { ResNetConfig } from '../src/models/resnet.ts';
import { resNet50Config } from '../src/models/resnet.ts';
import type { BenchCase, Scale } from './harness.ts';
import { randomArray } from './harness.ts';

/** A convolution of square images. */
interface Layer {
  readonly size: number;
  readonly channels: number;
  readonly filters: number;
  readonly kernel: number;
  readonly stride: number;
}

function layerCases(batch: number, { size, channels, filters, kernel, stride }: Layer): BenchCase[] {
  const options = { stride, padding: Math.floor(kernel / 2) };
  const x = [batch, size, size, channels];
  const w = [filters, kernel, kernel, channels];
  const out = size / stride;
  const work = {
    flops: 2 * batch * out * out * filters * kernel * kernel * channels,
    bytes: 4 * (batch * (size * size * channels + out * out * filters) + filters * kernel * kernel * channels),
  };
  const step = stride === 1 ? '' : ` stride ${stride}`;
  const name = `${kernel}x${kernel}${step} ${x.join('x')} to ${filters}`;
  const forward: BenchCase = {
    ...work,
    name: `conv2d ${name}`,
    prepare: (gpu) => {
      const [image, weight] = [randomArray(gpu, x, 1), randomArray(gpu, w, 2)];
      const geometry = conv2dGeometry(image, weight, options);
      return () => void conv2d(image, weight, undefined, geometry);
    },
  };
  const inputGrad: BenchCase = {
    ...work,
    name: `conv2d ${name}, input gradient`,
    prepare: (gpu) => {
      const weight = randomArray(gpu, w, 2);
      const geometry = conv2dGeometry(randomArray(gpu, x, 1), weight, options);
      const dy = randomArray(gpu, [batch, out, out, filters], 3);
      return () => void conv2dInputGrad(dy, weight, geometry);
    },
  };
  const weightGrad: BenchCase = {
    ...work,
    name: `conv2d ${name}, weight gradient`,
    prepare: (gpu) => {
      const image = randomArray(gpu, x, 1);
      const geometry = conv2dGeometry(image, randomArray(gpu, w, 2), options);
      const dy = randomArray(gpu, [batch, out, out, filters], 3);
      return () => void conv2dWeightGrad(image, dy, geometry);
    },
  };
  // Nobody asks for the gradient of an image.
  return channels === 3 ? [forward, weightGrad] : [forward, inputGrad, weightGrad];
}

/** Every convolution of a ResNet for images of 224 pixels, equal ones once. */
export function resNetLayers({ stem, stages }: ResNetConfig): Layer[] {
  const layers = new Map<string, Layer>();
  const add = (layer: Layer): void => void layers.set(JSON.stringify(layer), layer);
  add({ size: 224, channels: 3, filters: stem.channels, kernel: stem.kernel, stride: stem.stride });
  let [size, channels] = [56, stem.channels];
  for (const { blocks, width, stride: first } of stages) {
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 ? first : 1;
      const filters = 4 * width;
      add({ size, channels, filters: width, kernel: 1, stride: 1 });
      add({ size, channels: width, filters: width, kernel: 3, stride });
      if (block === 0) add({ size, channels, filters, kernel: 1, stride });
      size /= stride;
      add({ size, channels: width, filters, kernel: 1, stride: 1 });
      channels = filters;
    }
  }
  return [...layers.values()];
}

export const cases = ({ batch }: Scale): BenchCase[] =>
  resNetLayers(resNet50Config).flatMap((layer) => layerCases(batch, layer));
