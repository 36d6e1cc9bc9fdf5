import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { drawFinding } from '../../../src/eval/finding.ts';
import { type BatchRow, batchTable, pictureName, zipFiles } from '../batch.ts';
import { pngOf, save } from '../files.ts';
import { findingOf, scaleToMap } from '../picture.ts';
import { findIn, readImage } from '../session.ts';
import { announcement, cards, colors, opacity, preset, threshold } from '../state.ts';

interface Progress {
  readonly done: number;
  readonly all: number;
}

/** Looks for the phrases above in many images, and saves what it finds. */
export function BatchPanel() {
  const progress = useSignal<Progress | undefined>(undefined);
  const summary = useSignal('');
  const stopped = useRef(false);

  const run = async (files: readonly File[]): Promise<void> => {
    const phrases = [...new Set(cards.value.map(({ text }) => text.value.trim()).filter((text) => text !== ''))];
    const rows: BatchRow[] = [];
    const saved = new Map<string, Uint8Array>();
    const look = { colors: colors.value, opacity: opacity.value };
    const scale = { preset: preset.value, threshold: threshold.value };
    stopped.current = false;
    summary.value = '';
    for (const [i, file] of files.entries()) {
      if (stopped.current) break;
      progress.value = { done: i, all: files.length };
      try {
        const { image } = await readImage(file);
        const { found, model } = await findIn(image, phrases);
        const options = { ...scale, sigma: model.config.sigma, calibration: model.calibration };
        const shown = scaleToMap(image);
        for (const [k, localization] of found.entries()) {
          const finding = findingOf(phrases[k] ?? '', localization, image, options);
          const picture = pictureName(file.name, i + 1, k + 1);
          const png = await pngOf(drawFinding(shown, finding, { ...options, ...look }));
          saved.set(picture, new Uint8Array(await png.arrayBuffer()));
          rows.push({ file: file.name, image: { width: image.width, height: image.height }, finding, picture });
        }
      } catch (error) {
        rows.push({ file: file.name, error: error instanceof Error ? error.message : String(error) });
      }
    }
    progress.value = undefined;
    saved.set('findings.csv', new TextEncoder().encode(batchTable(rows)));
    save(new Blob([zipFiles(saved)], { type: 'application/zip' }), 'groundray-findings.zip');
    const failed = rows.filter((row) => 'error' in row).length;
    summary.value =
      `Saved ${saved.size - 1} pictures and findings.csv as groundray-findings.zip` +
      `${stopped.current ? ' (stopped early)' : ''}${failed > 0 ? `; ${failed} files could not be used, the table says why` : ''}.`;
    announcement.value = summary.value;
  };

  return (
    <details class="panel">
      <summary>Many images</summary>
      <div class="field">
        <label for="batch-files">
          Look for the phrases of this page in many images, and save maps and a table as a zip
        </label>
        <input
          id="batch-files"
          type="file"
          multiple
          disabled={progress.value !== undefined}
          accept=".png,.jpg,.jpeg,.dcm,.dicom,image/png,image/jpeg,application/dicom"
          onChange={(event) => {
            const files = [...(event.currentTarget.files ?? [])];
            event.currentTarget.value = '';
            if (files.length > 0) void run(files);
          }}
        />
      </div>
      {progress.value && (
        <p>
          <progress aria-label="Images done" value={progress.value.done} max={progress.value.all} />{' '}
          {progress.value.done} of {progress.value.all} images{' '}
          <button
            type="button"
            onClick={() => {
              stopped.current = true;
            }}
          >
            Stop
          </button>
        </p>
      )}
      {summary.value !== '' && <p>{summary}</p>}
    </details>
  );
}
