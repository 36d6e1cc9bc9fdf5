/** The thread that decodes images and runs the model, so that the page's own thread stays free for the person. */
import { expose } from 'comlink';
import * as z from 'zod';
import { EngineService } from './service.ts';

// Schemas are not compiled to functions: the Content-Security-Policy forbids code made from text.
z.config({ jitless: true });
expose(new EngineService());
