/** What published systems do to an image before their network sees it, and which part of it they see. */
import { cutSquare, equalizeHistogram, resizePillow, roundHalfEven, toBytes } from '../../data/pillow.ts';
import { resizeArea } from '../../data/preprocess.ts';
import type { Box, GrayImage } from '../../data/types.ts';

/** Pixels for a network. */
export interface SystemInput {
  /** `[size, size, channels]`, normalised. */
  readonly pixels: Float32Array;
  readonly size: number;
  readonly channels: 1 | 3;
  /** The part of the image that the pixels show, in pixels of the image; it may reach beyond it. */
  readonly frame: Box;
}

/**
 * GLoRIA: 8 bits, longest side to 256 by area averaging, the other side cut down to whole pixels, padded with 0; 224
 * pixels from the middle; (x - 0.5) / 0.5 (`_resize_img` and `process_img` of `gloria/models/gloria_model.py`,
 * `build_transformation` of `gloria/builder.py`, `norm: half`, `imsize: 256` and `crop_size: 224` of
 * `configs/chexpert_pretrain_config.yaml`). The network enlarges this to 299 itself.
 */
export function gloriaInput(image: GrayImage): SystemInput {
  const [longest, size] = [256, 224];
  const bytes = toBytes(image);
  const scaled = (side: number, other: number) =>
    side >= other ? longest : Math.max(1, Math.floor(side * (longest / other)));
  const width = scaled(image.width, image.height);
  const height = scaled(image.height, image.width);
  const small = resizeArea({ ...bytes, data: Float32Array.from(bytes.data) }, width, height);
  const rounded = { width, height, data: Uint8Array.from(small.data, roundHalfEven) };
  const margin = (longest - size) / 2;
  const left = margin - Math.floor((longest - width) / 2);
  const top = margin - Math.floor((longest - height) / 2);
  const { data } = cutSquare(rounded, size, left, top);
  const [unitX, unitY] = [image.width / width, image.height / height];
  return {
    pixels: Float32Array.from(data, (value) => (value / 255 - 0.5) / 0.5),
    size,
    channels: 1,
    frame: { x: left * unitX, y: top * unitY, width: size * unitX, height: size * unitY },
  };
}

/**
 * BioViL: stretched to the full range of 8 bits, shorter side to 512 (Pillow's bilinear), 480 pixels from the middle,
 * x in [0, 1] without normalisation (`remap_to_uint8` of `image/data/io.py`, `image/data/transforms.py` and
 * `image/utils.py` of hi-ml-multimodal). The frame is that of `convert_similarity_to_image_size` in
 * `vlp/inference_engine.py`: a centred square of whole pixels.
 */
export function bioVilInput(image: GrayImage): SystemInput {
  const [shorter, size] = [512, 480];
  const bytes = stretched(image);
  const least = Math.min(image.width, image.height);
  const scaled = (side: number) => (side === least ? shorter : Math.trunc((shorter * side) / least));
  const [width, height] = [scaled(image.width), scaled(image.height)];
  const middle = (side: number) => roundHalfEven((side - size) / 2);
  const { data } = cutSquare(resizePillow(bytes, width, height), size, middle(width), middle(height));
  const side = Math.trunc((size * least) / shorter);
  return {
    pixels: Float32Array.from(data, (value) => value / 255),
    size,
    channels: 1,
    frame: {
      x: Math.floor((image.width - side) / 2),
      y: Math.floor((image.height - side) / 2),
      width: side,
      height: side,
    },
  };
}

/** The least value becomes 0, the largest 255, the rest is cut off to whole numbers; a constant image becomes black. */
function stretched(image: GrayImage) {
  const { data } = image;
  const wide = Float64Array.from(data, (value) => Math.round(65535 * value));
  // 8 bits stored in 16 are worked on as 8, so that what is exact there is exact here.
  const is8Bit = wide.every((value) => value % 257 === 0);
  const levels = is8Bit ? wide.map((value) => value / 257) : wide;
  const least = levels.reduce((low, value) => Math.min(low, value), Number.POSITIVE_INFINITY);
  const range = levels.reduce((high, value) => Math.max(high, value), 0) - least;
  const { width, height } = toBytes(image);
  return {
    width,
    height,
    data: Uint8Array.from(levels, (value) => (range > 0 ? ((value - least) / range) * 255 : 0)),
  };
}

/** Mean and deviation of ImageNet's colours. */
const imageNet = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const;

/**
 * MedKLIP: histogram equalised, 8 bits, stretched to 224x224 whatever its shape (Pillow's bilinear), normalised as
 * ImageNet (`dataset/dataset_RSNA.py` of `Sample_Zero-Shot_Grounding_RSNA`).
 */
export function medKlipInput(image: GrayImage): SystemInput {
  const size = 224;
  const { data } = resizePillow(equalizeHistogram(toBytes(image)), size, size);
  const pixels = new Float32Array(size * size * 3);
  for (const [i, value] of data.entries()) {
    for (let c = 0; c < 3; c++) {
      pixels[3 * i + c] = (value / 255 - (imageNet.mean[c] ?? 0)) / (imageNet.deviation[c] ?? 1);
    }
  }
  return { pixels, size, channels: 3, frame: { x: 0, y: 0, width: image.width, height: image.height } };
}
