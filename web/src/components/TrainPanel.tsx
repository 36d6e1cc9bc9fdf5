import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { RunConfig } from '../../../src/train/config.ts';
import { zipFiles } from '../batch.ts';
import { save } from '../files.ts';
import { drawPicture, findingOf } from '../picture.ts';
import { adoptTrained } from '../session.ts';
import { shownImage } from '../shown.ts';
import { announcement, cards, colors, opacity, opened, problem, threshold } from '../state.ts';
import { training } from '../workers.ts';
import { Curve } from './Curve.tsx';
import { putOn } from './Result.tsx';

const steps = 1250;
/** Steps between two maps. */
const mapEvery = 25;

/** Trains a model on synthetic radiographs, in the page. */
export function TrainPanel() {
  const losses = useSignal<readonly number[]>([]);
  const running = useSignal(false);
  const config = useRef<RunConfig | undefined>(undefined);
  const canvas = useRef<HTMLCanvasElement>(null);
  const stop = useRef(false);
  useEffect(
    () => () => {
      stop.current = true;
      void training.end();
    },
    [],
  );

  const drawMap = async ({ sigma }: RunConfig): Promise<void> => {
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
      config.current ??= await training.begin(steps);
      while (!stop.current && losses.value.length < steps) {
        const { total } = await training.step();
        losses.value = [...losses.value, total];
        if (losses.value.length % mapEvery === 1) await drawMap(config.current);
      }
      announcement.value = `Training stopped after ${losses.value.length} steps, loss ${losses.value.at(-1)?.toFixed(2)}.`;
    } catch (error) {
      // The device may be gone, and the model with it.
      await training.end();
      config.current = undefined;
      losses.value = [];
      problem.value = `Training ended: ${error instanceof Error ? error.message : String(error)}`;
    }
    running.value = false;
  };

  const take = async (use: 'save' | 'adopt'): Promise<void> => {
    const files = await training.files();
    if (use === 'adopt') return adoptTrained(`trained here, ${losses.value.length} steps`, files);
    const text = new TextEncoder();
    const zip = zipFiles(
      new Map([
        ['model.safetensors', new Uint8Array(files.weights.bytes)],
        ['config.json', text.encode(files.config)],
        ['vocab.txt', text.encode(files.vocabulary)],
      ]),
    );
    save(new Blob([zip], { type: 'application/zip' }), `phantom-mini-${losses.value.length}-steps.zip`);
  };

  const done = losses.value.length;
  return (
    <details class="panel">
      <summary>Train a model here</summary>
      <p class="facts">
        A small model learns from synthetic radiographs and their reports, from scratch and on this machine. The map is
        of the first phrase in the opened image, and sharpens as the model learns.
      </p>
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
          done < steps && (
            <button type="button" onClick={() => void go()}>
              {done === 0 ? 'Start training' : 'Go on training'}
            </button>
          )
        )}{' '}
        {!running.value && done > 0 && (
          <>
            <button type="button" onClick={() => void take('adopt')}>
              Use this model above
            </button>{' '}
            <button type="button" onClick={() => void take('save')}>
              Save the model
            </button>
          </>
        )}
      </p>
      {(running.value || done > 0) && (
        <>
          <p>
            <progress aria-label="Training steps" value={done} max={steps} /> step {done} of {steps}
            {done > 0 && <>, loss {losses.value.at(-1)?.toFixed(3)}</>}
          </p>
          <Curve values={losses.value} steps={steps} />
          <canvas ref={canvas} role="img" aria-label="Heat map of the first phrase by the model in training" />
        </>
      )}
    </details>
  );
}
