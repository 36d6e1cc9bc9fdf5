/** The thread that trains, on a device of its own: phrases are looked for meanwhile. */
import { expose } from 'comlink';
import * as z from 'zod';
import { TrainingService } from './trainingService.ts';

// Schemas are not compiled to functions: the Content-Security-Policy forbids code made from text.
z.config({ jitless: true });
expose(new TrainingService());
