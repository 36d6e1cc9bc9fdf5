/** The page's workers, as objects whose methods they answer. Both are loaded with the page: nothing is fetched later. */
import { wrap } from 'comlink';
import type { EngineService } from './worker/service.ts';
import type { TrainingService } from './worker/trainingService.ts';

export const engine = wrap<EngineService>(
  new Worker(new URL('./worker/engineWorker.ts', import.meta.url), { type: 'module' }),
);

export const training = wrap<TrainingService>(
  new Worker(new URL('./worker/trainingWorker.ts', import.meta.url), { type: 'module' }),
);
