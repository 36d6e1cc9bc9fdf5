import { useEffect, useRef } from 'preact/hooks';
import { type Agreement, agreementWith } from '../../../src/eval/agreement.ts';
import { describePresence, drawFinding, formatSimilarity } from '../../../src/eval/finding.ts';
import { RESEARCH_NOTICE } from '../../../src/eval/notice.ts';
import type { RgbaImage } from '../../../src/eval/overlay.ts';
import { saveJson, savePicture } from '../files.ts';
import { drawPicture, findingOf, scaleBox } from '../picture.ts';
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
import { knownFindings, truthMask } from '../truth.ts';
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
    note: model.untrained,
  };
  const finding = findingOf(phrase, localization, opened.image, options);
  const { similarity, presence, box, regions, map } = finding;
  // Until the phrase is found in an image that was just opened, the last picture stays.
  const isCurrent = opened === current.value;
  const drawn = isCurrent ? shownImage.value : undefined;
  const known = isCurrent && showKnown.value ? knownFindings.value : [];
  const mask = truthMask(known, phrase);
  const look = { colors: colors.value, opacity: opacity.value, ...(mask ? { mask: mask.shown } : {}) };
  const imageBox = box && scaleBox(box, map, opened.image);
  const place = imageBox
    ? `x ${Math.round(imageBox.x)} to ${Math.round(imageBox.x + imageBox.width)}, ` +
      `y ${Math.round(imageBox.y)} to ${Math.round(imageBox.y + imageBox.height)} pixels, ` +
      `${regions.length} ${regions.length === 1 ? 'region' : 'regions'}, ${(100 * finding.area).toFixed(1)} % of the image`
    : 'nothing';
  const verdict = presence === null ? 'unknown' : presence.present ? 'present' : 'absent';
  const agreement = mask && agreementWith(mask.measured, localization, opened.image, options);

  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      if (canvas.current && drawn) putOn(canvas.current, drawPicture(drawn, finding, { ...options, ...look }));
    });
    return () => cancelAnimationFrame(frame);
  });
  useEffect(() => {
    announcement.value =
      `${phrase}: ${describePresence(presence)}. Most similar where the map is largest, ` +
      `${formatSimilarity(similarity.max, 3)}; over the threshold: ${place}.` +
      (known.length > 0 ? ` Ground truth: ${describeAgreement(mask !== undefined, agreement)}.` : '') +
      (model.untrained ? ` ${model.untrained}` : '');
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
      {model.untrained !== undefined && <p class="problem">{model.untrained}</p>}
      <dl>
        <dt>Similarity</dt>
        <dd>
          {formatSimilarity(similarity.max, 3)} at most, {formatSimilarity(similarity.mean, 3)} on average (cosine)
        </dd>
        <dt>Over {threshold.value.toFixed(2)}</dt>
        <dd>{place}</dd>
        {known.length > 0 && (
          <>
            <dt>Ground truth</dt>
            <dd>{describeAgreement(mask !== undefined, agreement)}</dd>
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
                untrained: model.untrained,
                image: { file: opened.name, width: opened.image.width, height: opened.image.height },
                phrase,
                similarity,
                presence,
                preset: preset.value,
                threshold: threshold.value,
                box: imageBox,
                agreement,
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

function describeAgreement(isKnown: boolean, agreement: Agreement | undefined): string {
  if (!isKnown) return 'none for this phrase';
  if (!agreement) return 'marks nothing, so that nothing can agree with it';
  const { iou, dice, pointing } = agreement;
  return `IoU ${iou.toFixed(3)}, Dice ${dice.toFixed(3)}, largest value ${pointing >= 0.5 ? 'inside' : 'outside'}`;
}
