/** The thread behind `startPackers`: opens the source once and packs one image after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { openDataset } from '../open.node.ts';
import { type PackReply, type PackRequest, type PackWorkerInput, packStudy, reasonOf } from './pack.node.ts';

const port = parentPort;
if (port) await serve(port, workerData as PackWorkerInput);

async function serve(port: NonNullable<typeof parentPort>, input: PackWorkerInput): Promise<void> {
  const reply = (message: PackReply): void => port.postMessage(message);
  try {
    const dataset = await openDataset(input.source);
    // One after the other, so that a worker holds one decoded image at a time.
    let queue: Promise<void> = Promise.resolve();
    port.on('message', ({ number, job }: PackRequest) => {
      queue = queue.then(async () => reply({ type: 'packed', number, result: await packStudy(dataset, job, input) }));
    });
    reply({ type: 'ready' });
  } catch (error) {
    reply({ type: 'failed', reason: reasonOf(error) });
  }
}
