import { useEffect, useRef } from 'preact/hooks';
import type { LocalizationPlan } from '../../../src/data/annotations/plan.ts';
import {
  type Batch,
  batchPlan,
  batchProgress,
  batchResult,
  offerBatch,
  offered,
  runBatch,
  stopBatch,
  withdrawBatch,
} from '../batch.ts';
import { save } from '../files.ts';
import { chosenFiles } from '../folder.ts';

/** Most names that are listed; the rest is counted. */
const mostNames = 5;

/** Looks for phrases in many images, and saves what it finds. */
export function BatchPanel() {
  const panel = useRef<HTMLDetailsElement>(null);
  const [batch, plan, progress] = [offered.value, batchPlan.value, batchProgress.value];
  // What was dropped elsewhere is shown where it can be started.
  useEffect(() => {
    if (!batch || !panel.current) return;
    panel.current.open = true;
    panel.current.scrollIntoView({ block: 'nearest' });
  }, [batch]);
  const go = async (): Promise<void> => {
    const zip = await runBatch();
    if (zip) save(zip, 'groundray-findings.zip');
  };
  return (
    <details class="panel" ref={panel}>
      <summary>Many images</summary>
      <p class="facts">
        Looks for the phrases of this page, or for those of a table, in many images, and saves maps and a table as a
        zip. A table is a CSV with the columns file and phrase, and where the truth is known x, y, width, height or
        mask.
      </p>
      <div class="field">
        <label for="batch-folder">Choose a folder of images, with its table and masks</label>
        <input
          id="batch-folder"
          type="file"
          disabled={progress !== undefined}
          ref={(input) => {
            if (input) input.webkitdirectory = true;
          }}
          onChange={(event) => void offerBatch(chosenFiles(event.currentTarget))}
        />
      </div>
      <div class="field">
        <label for="batch-files">or choose images, or a table for those that were chosen</label>
        <input
          id="batch-files"
          type="file"
          multiple
          disabled={progress !== undefined}
          accept=".png,.jpg,.jpeg,.dcm,.dicom,.csv,.json,image/png,image/jpeg,application/dicom,text/csv"
          onChange={(event) => void offerBatch(chosenFiles(event.currentTarget))}
        />
      </div>
      {batch && plan && <Plan batch={batch} plan={plan} />}
      {progress ? (
        <p>
          <progress aria-label="Images done" value={progress.done} max={progress.all} /> {progress.done} of{' '}
          {progress.all} images{progress.left !== '' && progress.done < progress.all && `, ${progress.left} left`}{' '}
          <button type="button" onClick={stopBatch}>
            Stop
          </button>
        </p>
      ) : (
        batch &&
        plan && (
          <div class="probes">
            <button type="button" disabled={countRows(plan) === 0} onClick={() => void go()}>
              Start
            </button>
            <button
              type="button"
              onClick={() => {
                withdrawBatch();
                // The button that had the focus is gone.
                document.getElementById('batch-folder')?.focus();
              }}
            >
              Forget these images
            </button>
          </div>
        )
      )}
      {batchResult.value !== '' && <p>{batchResult}</p>}
    </details>
  );
}

function countRows({ images }: LocalizationPlan): number {
  return images.reduce((sum, { phrases }) => sum + phrases.length, 0);
}

/** What will be done, and what cannot be. */
function Plan({ batch: { table, unused }, plan }: { readonly batch: Batch; readonly plan: LocalizationPlan }) {
  const { images, unusable, unnamed } = plan;
  const rows = countRows(plan);
  const known = images.reduce((sum, { phrases }) => sum + phrases.filter(({ places }) => places).length, 0);
  return (
    <ul class="facts" aria-label="What will be done">
      <li>
        {count(images.length, 'image')}, {count(rows, 'row')}: {table ? table.name : 'the phrases of this page in each'}
        {rows === 0 && '. Type a phrase to look for first'}
      </li>
      {known > 0 && <li>Ground truth for {count(known, 'row')}: IoU and Dice will be in the table</li>}
      {unusable.length > 0 && (
        <li>
          Cannot be used:{' '}
          {listed(
            unusable.map(({ where, reason }) => `${where}: ${reason}`),
            '; ',
          )}
        </li>
      )}
      {unnamed.length > 0 && <li>Not in the table, and left out: {listed(unnamed)}</li>}
      {unused.length > 0 && <li>Of no use here: {listed(unused)}</li>}
    </ul>
  );
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function listed(names: readonly string[], separator = ', '): string {
  const rest = names.length - mostNames;
  return names.slice(0, mostNames).join(separator) + (rest > 0 ? ` and ${rest} more` : '');
}
