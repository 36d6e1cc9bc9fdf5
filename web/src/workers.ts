/** The page's workers, as objects whose methods they answer. Both are loaded with the page: nothing is fetched later. */
import { wrap } from 'comlink';
import type { EngineService } from './worker/service.ts';
import type { TrainingService } from './worker/trainingService.ts';

const threads = {
  engine: new Worker(new URL('./worker/engineWorker.ts', import.meta.url), { type: 'module' }),
  training: new Worker(new URL('./worker/trainingWorker.ts', import.meta.url), { type: 'module' }),
};

export const engine = wrap<EngineService>(threads.engine);
export const training = wrap<TrainingService>(threads.training);

/** Rejects if a worker cannot be loaded; it would answer nothing then. */
export const broken: Promise<never> = Promise.race(
  Object.values(threads).map(
    (thread) =>
      new Promise<never>((_, reject) => {
        // Errors inside a worker have a message, and are answers of calls.
        thread.addEventListener('error', ({ message }) => {
          if (!message) reject(new Error('A part of this page could not be loaded. Reload it.'));
        });
      }),
  ),
);
broken.catch(() => undefined);
