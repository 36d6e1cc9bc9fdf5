/** The process in which one library runs. Requests and replies travel over Node's IPC channel. */
import { openInNode } from './open.node.ts';
import type { Request } from './protocol.ts';
import { Session } from './session.ts';

const session = new Session(openInNode);

process.on('message', (request: Request) => {
  void session.answer(request).then((reply) => process.send?.(reply));
});
// Dawn's threads and a pending poll would keep the process alive after its parent has gone.
process.on('disconnect', () => process.exit(0));
