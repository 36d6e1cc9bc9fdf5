import { useEffect, useRef } from 'preact/hooks';
import { describePresence, drawFinding, formatSimilarity } from '../../../src/eval/finding.ts';
import { RESEARCH_NOTICE } from '../../../src/eval/notice.ts';
import type { RgbaImage } from '../../../src/eval/overlay.ts';
import { saveJson, savePicture } from '../files.ts';
import { samePhrase } from '../phrases.ts';
import { drawPicture, findingOf, overlapWith, scaleBox } from '../picture.ts';
import { usePointer } from '../pointer.ts';
import { shownImage } from '../shown.ts';
import {
  type Answer,
  announcement,
  colors,
  opened as current,
  opacity,
  preset,
  showKnown,
  threshold,
} from '../state.ts';
import { Legend } from './Legend.tsx';

/** Shows a picture on a canvas of its size. */
export function putOn(canvas: HTMLCanvasElement, picture: RgbaImage): void {
  if (canvas.width !== picture.width) canvas.width = picture.width;
  if (canvas.height !== picture.height) canvas.height = picture.height;
  canvas.getContext('2d')?.putImageData(new ImageData(picture.data, picture.width, picture.height), 0, 0);
}

/** A heat map over the image, with its figures. */
export function Result({ id, answer }: { readonly id: string; readonly answer: Answer }) {
  const { phrase, opened, localization, model } = answer;
  const canvas = useRef<HTMLCanvasElement>(null);
  const options = {
    sigma: model.config.sigma,
    preset: preset.value,
    threshold: threshold.value,
    calibration: model.calibration,
  };
  const finding = findingOf(phrase, localization, opened.image, options);
  const { similarity, presence, box, regions, map } = finding;
  const mask = opened.known.find((known) => samePhrase(known.phrase, phrase))?.mask;
  // Until the phrase is found in an image that was just opened, the last picture stays.
  const drawn = opened === current.value ? shownImage.value : undefined;
  const look = { colors: colors.value, opacity: opacity.value, ...(mask && showKnown.value ? { mask } : {}) };
  const imageBox = box && scaleBox(box, map, opened.image);
  const place = imageBox
    ? `x ${Math.round(imageBox.x)} to ${Math.round(imageBox.x + imageBox.width)}, ` +
      `y ${Math.round(imageBox.y)} to ${Math.round(imageBox.y + imageBox.height)} pixels, ` +
      `${regions.length} ${regions.length === 1 ? 'region' : 'regions'}, ${(100 * finding.area).toFixed(1)} % of the image`
    : 'nothing';
  const verdict = presence === null ? 'unknown' : presence.present ? 'present' : 'absent';
  const overlap = mask && showKnown.value ? overlapWith(mask, finding, threshold.value) : undefined;

  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      if (canvas.current && drawn) putOn(canvas.current, drawPicture(drawn, finding, { ...options, ...look }));
    });
    return () => cancelAnimationFrame(frame);
  });
  useEffect(() => {
    announcement.value =
      `${phrase}: ${describePresence(presence)}. Most similar where the map is largest, ` +
      `${formatSimilarity(similarity.max, 3)}; over the threshold: ${place}.`;
    // What a slider changes is not read out again.
  }, [answer]);

  return (
    <>
      <canvas
        ref={canvas}
        {...usePointer(opened)}
        role="img"
        aria-label={`Heat map of “${phrase}” over ${opened.name}: over the threshold ${place}`}
      />
      <Legend id={`colours-of-${id}`} finding={finding} />
      <p class={`verdict ${verdict}`}>
        <strong>{verdict === 'unknown' ? 'not calibrated' : verdict}</strong>
        {presence && <> {describePresence(presence).replace(/^\w+ /, '')}</>}
      </p>
      <dl>
        <dt>Similarity</dt>
        <dd>
          {formatSimilarity(similarity.max, 3)} at most, {formatSimilarity(similarity.mean, 3)} on average (cosine)
        </dd>
        <dt>Over {threshold.value.toFixed(2)}</dt>
        <dd>{place}</dd>
        {overlap && (
          <>
            <dt>With the drawn finding</dt>
            <dd>
              IoU {overlap.iou.toFixed(3)}, Dice {overlap.dice.toFixed(3)}
            </dd>
          </>
        )}
      </dl>
      <div class="probes">
        <button
          type="button"
          onClick={() => drawn && void savePicture(drawFinding(drawn, finding, { ...options, ...look }), phrase)}
        >
          Save picture
        </button>
        <button
          type="button"
          onClick={() =>
            saveJson(
              {
                kind: 'groundray-localization',
                notice: RESEARCH_NOTICE,
                model: model.name,
                image: { file: opened.name, width: opened.image.width, height: opened.image.height },
                phrase,
                similarity,
                presence,
                preset: preset.value,
                threshold: threshold.value,
                box: imageBox,
                frame: localization.frame,
                grid: { ...localization.grid, data: [...localization.grid.data] },
                map: { ...map, data: [...map.data] },
              },
              phrase,
            )
          }
        >
          Save values
        </button>
      </div>
    </>
  );
}
