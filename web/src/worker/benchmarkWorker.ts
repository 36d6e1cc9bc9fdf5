/** The thread that measures the device: what goes wrong there leaves model and image alone. */
import { expose } from 'comlink';
import { BenchmarkService } from './benchmarkService.ts';

expose(new BenchmarkService());
