import type { PresenceCalibration } from '../../../src/eval/presence.ts';
import { MODEL_ENDINGS } from '../files.ts';
import { SAMPLES } from '../images.ts';
import { chooseSample, openFiles } from '../session.ts';
import { model as currentModel, opened } from '../state.ts';

async function openChosen(input: HTMLInputElement): Promise<void> {
  await openFiles([...(input.files ?? [])]);
  // The same file can be chosen again.
  input.value = '';
}

/** How far "present" and "absent" can be trusted. */
function describeCalibration(calibration: PresenceCalibration | undefined): string {
  if (!calibration) return 'It has no threshold between present and absent (npm run evaluate finds one).';
  const { sensitivity, specificity, phrases } = calibration;
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  return (
    `On ${phrases} validation phrases its verdict finds ${percent(sensitivity)} of the present ones and rejects ` +
    `${percent(specificity)} of the absent ones.`
  );
}

/** What is looked at, and with which model. */
export function OpenPanel() {
  const image = opened.value;
  const model = currentModel.value;
  return (
    <section class="panel" aria-labelledby="open-heading">
      <h2 id="open-heading">Image and model</h2>
      <div class="field">
        <label for="image-file">Open an image (PNG, JPEG or DICOM)</label>
        <input
          id="image-file"
          type="file"
          accept=".png,.jpg,.jpeg,.dcm,.dicom,image/png,image/jpeg,application/dicom"
          onChange={(event) => void openChosen(event.currentTarget)}
        />
      </div>
      <fieldset class="samples">
        <legend>or a synthetic sample</legend>
        {SAMPLES.map((index, i) => (
          <button key={index} type="button" aria-label={`Sample ${i + 1}`} onClick={() => void chooseSample(index)}>
            {i + 1}
          </button>
        ))}
      </fieldset>
      <div class="field">
        <label for="model-files">Open a model (the files of a run, a zip of them, or published weights)</label>
        <input
          id="model-files"
          type="file"
          multiple
          accept={MODEL_ENDINGS.join(',')}
          aria-describedby="model-kinds"
          onChange={(event) => void openChosen(event.currentTarget)}
        />
        <p id="model-kinds" class="hint">
          A run is model.safetensors, config.json and vocab.txt. Weights are of a BERT, with its vocab.txt and
          config.json, of a ResNet-50, or of both.
        </p>
      </div>
      <p class="facts">
        {image && (
          <>
            Image: <strong>{image.name}</strong>, {image.image.width} × {image.image.height} pixels.{' '}
          </>
        )}
        {model && (
          <>
            Model: <strong>{model.name}</strong>, {model.config.imageSize} px, preset {model.config.preset}.{' '}
            {model.untrained ?? describeCalibration(model.calibration)}{' '}
          </>
        )}
        Files and folders can also be dropped anywhere on this page.
      </p>
    </section>
  );
}
