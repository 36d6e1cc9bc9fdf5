import type { CDPSession, Page } from 'playwright-core';

interface Attached {
  readonly sessionId: string;
  readonly targetInfo: { readonly type: string; readonly url: string };
}

/** Asks a worker, whose messages travel through the session of its page. */
function askWorker(
  session: CDPSession,
  sessionId: string,
  id: number,
  method: string,
): Promise<Record<string, number>> {
  return new Promise((done) => {
    const receive = (event: { sessionId: string; message: string }): void => {
      const answer = JSON.parse(event.message) as { id?: number; result: Record<string, number> };
      if (event.sessionId !== sessionId || answer.id !== id) return;
      session.off('Target.receivedMessageFromTarget', receive);
      done(answer.result);
    };
    session.on('Target.receivedMessageFromTarget', receive);
    void session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) });
  });
}

/** Bytes of JavaScript that the page and its workers hold once garbage is collected. */
export async function heapBytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  const workers: Attached[] = [];
  session.on('Target.attachedToTarget', (attached) => workers.push(attached));
  await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  await session.send('HeapProfiler.collectGarbage');
  let { usedSize } = await session.send('Runtime.getHeapUsage');
  for (const { sessionId } of workers) {
    await askWorker(session, sessionId, 1, 'HeapProfiler.collectGarbage');
    const usage = await askWorker(session, sessionId, 2, 'Runtime.getHeapUsage');
    usedSize += usage.usedSize ?? 0;
  }
  await session.detach();
  return usedSize;
}
