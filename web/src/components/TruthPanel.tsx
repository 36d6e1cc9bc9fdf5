import { opened } from '../state.ts';
import { giveTruth, knownFindings, removeTruth, truth } from '../truth.ts';

/** Masks and boxes of the opened image, which its maps are compared with. */
export function TruthPanel() {
  const given = truth.value;
  const take = async (input: HTMLInputElement): Promise<void> => {
    await giveTruth([...(input.files ?? [])]);
    // The same files can be chosen again.
    input.value = '';
  };
  return (
    <section class="panel" aria-labelledby="truth-heading">
      <h2 id="truth-heading">Ground truth</h2>
      <div class="field">
        <label for="truth-files">
          Compare with a mask of the image’s size (PNG), or with boxes (CSV or JSON: file, phrase, x, y, width, height;
          RSNA, MS-CXR, NIH, COCO, LabelMe)
        </label>
        <input
          id="truth-files"
          type="file"
          multiple
          accept=".png,.jpg,.jpeg,.csv,.json,image/png,image/jpeg,text/csv,application/json"
          onChange={(event) => void take(event.currentTarget)}
        />
      </div>
      {given ? (
        <>
          <p class="facts">
            {given.names.join(', ')}, for {opened.value?.name}:
          </p>
          <ul class="facts">
            {given.findings.map(({ phrase, mask }, i) => (
              <li key={`${i} ${phrase}`}>
                {phrase === undefined ? 'for every phrase' : `“${phrase}”`}: {describeArea(mask.data)}
              </li>
            ))}
          </ul>
          <button
            type="button"
            onClick={() => {
              removeTruth();
              // The button that had the focus is gone.
              document.getElementById('truth-files')?.focus();
            }}
          >
            Remove the ground truth
          </button>
        </>
      ) : (
        knownFindings.value.length > 0 && (
          <p class="facts">Where the findings of this sample were drawn is known, and can be outlined below.</p>
        )
      )}
    </section>
  );
}

function describeArea(data: Uint8Array): string {
  const marked = data.reduce((sum, value) => sum + value, 0);
  return marked === 0 ? 'nothing is marked' : `${((100 * marked) / data.length).toFixed(1)} % of the image`;
}
