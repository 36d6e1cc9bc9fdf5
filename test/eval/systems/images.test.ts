import { describe, expect, it } from 'vitest';
import type { GrayImage } from '../../../src/data/types.ts';
import { bioVilInput, gloriaInput, medKlipInput } from '../../../src/eval/systems/images.ts';
import { expectClose } from '../../support/numeric.ts';

const image = (width: number, height: number, value: (x: number, y: number) => number): GrayImage => ({
  width,
  height,
  data: Float32Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width)) / 255),
});

describe('what GLoRIA sees', () => {
  it('is the middle of 256 pixels in [-1, 1], black where the image was padded', () => {
    // 512x256 becomes 256x128, padded by 64 above and below; 16 pixels are cut off on each side.
    const wide = image(512, 256, (x, y) => (x < 256 ? 100 : 200) + (y < 128 ? 0 : 50));
    const { pixels, size, channels, frame } = gloriaInput(wide);
    expect([size, channels, pixels.length]).toEqual([224, 1, 224 * 224]);
    const at = (x: number, y: number) => pixels[y * 224 + x]!;
    const level = (value: number) => (value / 255 - 0.5) / 0.5;
    expectClose([at(0, 47), at(0, 48), at(111, 111), at(112, 112)], [-1, level(100), level(100), level(250)]);
    expectClose([at(111, 112), at(223, 175), at(223, 176)], [level(150), level(250), -1]);
    // One pixel of the network's is two of the image's.
    expect(frame).toEqual({ x: 32, y: -96, width: 448, height: 448 });
  });

  it('cuts the shorter side down to whole pixels before it is padded', () => {
    // 300x200 becomes 256x170 (170.67 cut off): 43 rows above, 16 of them cut away.
    const { pixels, frame } = gloriaInput(image(300, 200, () => 255));
    const rows = Array.from({ length: 224 }, (_, y) => pixels[y * 224]!);
    expect([rows.indexOf(1), rows.lastIndexOf(1)]).toEqual([27, 196]);
    expectClose([frame.y, frame.height], [(-27 * 200) / 170, (224 * 200) / 170]);
  });

  it('is rounded to 8 bits after averaging', () => {
    const { pixels } = gloriaInput(image(512, 512, (x) => (x % 2 === 0 ? 10 : 11)));
    // 10.5 is rounded to the even 10.
    expectClose(pixels, new Float32Array(224 * 224).fill((10 / 255 - 0.5) / 0.5));
  });
});

describe('what BioViL sees', () => {
  it('is the middle of the image with its shorter side at 512, stretched to [0, 1]', () => {
    // 1024x512 stays, least 50 and largest 150: 100 becomes (100 - 50) / 100 * 255, cut off to 127.
    const wide = image(1024, 512, (x) => (x < 512 ? 50 : x < 752 ? 100 : 150));
    const { pixels, size, channels, frame } = bioVilInput(wide);
    expect([size, channels, pixels.length]).toEqual([480, 1, 480 * 480]);
    // 272 pixels are cut off on the left and on the right: 240 of the 512 dark ones remain, and 240 of the grey ones.
    expectClose([pixels[0]!, pixels[239]!, pixels[240]!, pixels[479]!], [0, 0, 127 / 255, 127 / 255]);
    expect(frame).toEqual({ x: 272, y: 16, width: 480, height: 480 });
  });

  it('has its map on a centred square of whole pixels', () => {
    // 480 * 301 / 512 = 282.19 cut off; margins 18 / 2 and 118 / 2.
    expect(bioVilInput(image(400, 301, (x) => x % 200)).frame).toEqual({ x: 59, y: 9, width: 282, height: 282 });
  });

  it('keeps all grey levels of 8 bits apart', () => {
    const all = bioVilInput(image(512, 512, (x, y) => (y * 512 + x) % 256));
    expect(new Set(all.pixels).size).toBe(256);
    expectClose(all.pixels.slice(0, 2), [16 / 255, 17 / 255]);
  });

  it('is black for a constant image', () => {
    expect(new Set(bioVilInput(image(600, 512, () => 90)).pixels)).toEqual(new Set([0]));
  });
});

describe('what MedKLIP sees', () => {
  it('is the whole image, equalised and stretched to a square, in the scale of ImageNet', () => {
    // Half 40, half 80: their shares are 1/2 and 1.
    const tall = image(224, 448, (x) => (x < 112 ? 40 : 80));
    const { pixels, size, channels, frame } = medKlipInput(tall);
    expect([size, channels, pixels.length]).toEqual([224, 3, 224 * 224 * 3]);
    const colour = (value: number) => [(value - 0.485) / 0.229, (value - 0.456) / 0.224, (value - 0.406) / 0.225];
    expectClose(pixels.slice(0, 3), colour(127 / 255));
    expectClose(pixels.slice(-3), colour(1));
    expect(frame).toEqual({ x: 0, y: 0, width: 224, height: 448 });
  });
});
