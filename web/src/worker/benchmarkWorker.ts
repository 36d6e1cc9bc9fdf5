/** The thread that measures the device: what goes wrong there leaves model and image alone. */
import { expose } from 'comlink';
import { z } from 'zod';
import { BenchmarkService } from './benchmarkService.ts';

// Schemas are not compiled to functions: the Content-Security-Policy forbids code made from text.
z.config({ jitless: true });
expose(new BenchmarkService());
