import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { formatDuration } from '../../../src/io/duration.ts';
import { save } from '../files.ts';
import { drawPicture, findingOf } from '../picture.ts';
import { adoptTrained, modelSource } from '../session.ts';
import { shownImage } from '../shown.ts';
import { announcement, cards, colors, model, opacity, opened, problem, threshold } from '../state.ts';
import type { Begun } from '../worker/trainingService.ts';
import { training } from '../workers.ts';
import { zipFiles } from '../zip.ts';
import { Curve } from './Curve.tsx';
import { putOn } from './Result.tsx';

/** Of a run that begins here. */
const steps = 1250;
/** Steps between two maps. */
const mapEvery = 25;

/** Trains a model on synthetic radiographs, in the page. */
export function TrainPanel() {
  const run = useSignal<Begun | undefined>(undefined);
  const losses = useSignal<readonly number[]>([]);
  const running = useSignal(false);
  /** E.g. `3 min 20 s`. */
  const left = useSignal('');
  const fromOpened = useSignal(false);
  const canvas = useRef<HTMLCanvasElement>(null);
  const stop = useRef(false);

  const forget = async (): Promise<void> => {
    await training.end();
    run.value = undefined;
    losses.value = [];
  };

  useEffect(
    () => () => {
      stop.current = true;
      void training.end();
    },
    [],
  );

  const drawMap = async ({ config: { sigma } }: Begun): Promise<void> => {
    const [image, shown, phrase] = [opened.value, shownImage.value, cards.value[0]?.text.value.trim()];
    if (!image || !shown || !phrase) return;
    const options = { sigma, preset: 'paper-minmax', threshold: threshold.value } as const;
    const finding = findingOf(phrase, await training.find(image.image, phrase), image.image, options);
    const look = { colors: colors.value, opacity: opacity.value };
    if (canvas.current) putOn(canvas.current, drawPicture(shown, finding, { ...options, ...look }));
  };

  const go = async (): Promise<void> => {
    running.value = true;
    stop.current = false;
    problem.value = '';
    try {
      const begun = run.value ?? (await training.begin(steps, fromOpened.value ? await modelSource() : undefined));
      run.value = begun;
      const [begin, before] = [performance.now(), losses.value.length];
      while (!stop.current && begun.done + losses.value.length < begun.steps) {
        const { total } = await training.step();
        losses.value = [...losses.value, total];
        const taken = losses.value.length - before;
        const remaining = begun.steps - begun.done - losses.value.length;
        left.value = formatDuration(((performance.now() - begin) / taken) * remaining);
        if (losses.value.length % mapEvery === 1) await drawMap(begun);
      }
      const done = begun.done + losses.value.length;
      announcement.value = `Training stopped after ${done} steps, loss ${losses.value.at(-1)?.toFixed(2)}.`;
    } catch (error) {
      // The device may be gone, and the model with it.
      await forget();
      problem.value = `Training ended: ${error instanceof Error ? error.message : String(error)}`;
    }
    running.value = false;
    left.value = '';
  };

  const take = async (use: 'save' | 'adopt'): Promise<void> => {
    const files = await training.files();
    const name = `${run.value?.config.preset}-${done}-steps`;
    if (use === 'adopt') return adoptTrained(`${name}, trained here`, files);
    const text = new TextEncoder();
    const zip = zipFiles(
      new Map([
        [files.weights.name, new Uint8Array(files.weights.bytes)],
        ['config.json', text.encode(files.config)],
        ['vocab.txt', text.encode(files.vocabulary)],
      ]),
    );
    save(new Blob([zip], { type: 'application/zip' }), `${name}.zip`);
  };

  const begun = run.value;
  const done = (begun?.done ?? 0) + losses.value.length;
  return (
    <details class="panel">
      <summary>Train a model here</summary>
      <p class="facts">
        A model learns from synthetic radiographs and their reports, on this machine. The map is of the first phrase in
        the opened image, and sharpens as the model learns. A saved run can be opened like any model and trained on,
        here or with the command line.
      </p>
      {!begun && (
        <div class="field">
          <label for="train-from">Begin with</label>
          <select
            id="train-from"
            disabled={running.value}
            value={fromOpened.value ? 'opened' : 'new'}
            onChange={(event) => {
              fromOpened.value = event.currentTarget.value === 'opened';
            }}
          >
            <option value="new">a new small model</option>
            <option value="opened">the opened model ({model.value?.name})</option>
          </select>
        </div>
      )}
      <p>
        {running.value ? (
          <button
            type="button"
            onClick={() => {
              stop.current = true;
            }}
          >
            Stop
          </button>
        ) : (
          (!begun || done < begun.steps) && (
            <button type="button" onClick={() => void go()}>
              {begun ? 'Go on training' : 'Start training'}
            </button>
          )
        )}{' '}
        {!running.value && begun && (
          <>
            <button type="button" onClick={() => void take('adopt')}>
              Use this model above
            </button>{' '}
            <button type="button" onClick={() => void take('save')}>
              Save the run
            </button>{' '}
            <button type="button" onClick={() => void forget()}>
              Discard it
            </button>
          </>
        )}
      </p>
      {begun && (
        <>
          <p>
            <progress aria-label="Training steps" value={done} max={begun.steps} /> step {done} of {begun.steps}
            {losses.value.length > 0 && <>, loss {losses.value.at(-1)?.toFixed(3)}</>}
            {running.value && left.value !== '' && <>, {left} left</>}
          </p>
          <Curve values={losses.value} first={begun.done} steps={begun.steps} />
          <canvas ref={canvas} role="img" aria-label="Heat map of the first phrase by the model in training" />
        </>
      )}
    </details>
  );
}
