import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { longestTask } from './support/mainThread.ts';
import { describeInChromium } from './support/page.ts';

// Without WebGPU on its own thread a page can only train in a worker.
async function prepare(page: Page): Promise<void> {
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'gpu', { value: undefined }));
}

describeInChromium(
  'worker-training',
  (page) => {
    const state = (wanted: string) => page().waitForSelector(`#status[data-state=${wanted}]`);
    const text = async () => (await page().textContent('#status')) ?? '';
    const stepOf = async () => Number(/step (\d+)/i.exec(await text())?.[1]);
    const reached = (step: number) =>
      page().waitForFunction(
        (wanted) => Number(/step (\d+)/i.exec(document.querySelector('#status')?.textContent ?? '')?.[1]) >= wanted,
        step,
      );
    /** What the page shows of its frames; times in milliseconds. */
    const frames = async (row: 'idle' | 'training') => {
      const cells = await page().locator(`#${row} td`).allInnerTexts();
      const [count = 0, perSecond = 0, median = 0, percentile95 = 0, longest = 0] = cells.map(Number.parseFloat);
      return { count, perSecond, median, percentile95, longest };
    };
    const longTasks = async () => {
      const line = await page().waitForSelector('#smoothness[data-others]');
      return line.evaluate((element) => {
        const { training, others } = (element as HTMLElement).dataset;
        return { training: Number(training), others: Number(others) };
      });
    };

    it('counts a long task of its own thread', async () => {
      const before = await longTasks();
      const held = await longestTask(page(), () =>
        page().evaluate(
          () =>
            new Promise<void>((resolve) => {
              setTimeout(() => {
                // Work, not time: on a busy machine a thread may have little of the processor in 150 ms.
                let x = 1;
                for (let i = 0; i < 2e8; i++) x = (Math.imul(x, 1664525) + i) | 0;
                document.body.dataset.result = String(x);
                resolve();
              });
            }),
        ),
      );
      expect(held).toBeGreaterThan(50);
      await page().waitForFunction(
        (count) => Number(document.querySelector<HTMLElement>('#smoothness')?.dataset.others) > count,
        before.others,
      );
    });

    it('trains, pauses, goes on and stops away from the thread of the page, which goes on drawing', async () => {
      const held = await longestTask(page(), async () => {
        await page().fill('#batch', '2');
        await page().click('#start');
        await state('training');
        await reached(6);
        await page().click('#pause');
        await state('paused');
        const paused = await stepOf();
        expect(paused).toBeGreaterThanOrEqual(6);
        await page().waitForTimeout(500);
        expect(await stepOf()).toBe(paused);
        await page().click('#pause');
        await state('training');
        await reached(paused + 4);
        await page().click('#stop');
        await state('stopped');
        expect(await stepOf()).toBeGreaterThan(paused + 3);
      });
      await page().waitForTimeout(600);
      const [idle, training] = [await frames('idle'), await frames('training')];
      console.log(`Longest task of the page ${held.toFixed(1)} ms; frames ${JSON.stringify({ idle, training })}.`);
      expect(held).toBeLessThan(50);
      expect(training.count).toBeGreaterThan(5);
      expect(training.median).toBeLessThanOrEqual(3 * idle.median);
      expect(await page().isEnabled('#start')).toBe(true);
    });

    it('gets one message at a time, however slowly it shows them, and counts the long tasks of that', async () => {
      const before = await longTasks();
      await page().evaluate(() => {
        const seen = { unanswered: 0, most: 0, sizes: [] as number[] };
        Object.assign(globalThis, { seen });
        const { postMessage } = Worker.prototype;
        // A page that takes its time over what it got, and then answers late.
        Worker.prototype.postMessage = function (this: Worker, request: { kind: string }) {
          if (request.kind === 'start') {
            this.addEventListener('message', ({ data }) => {
              if (data.kind !== 'progress') return;
              seen.unanswered += 1;
              seen.most = Math.max(seen.most, seen.unanswered);
              seen.sizes.push(data.points.length);
            });
          }
          if (request.kind !== 'shown') return postMessage.call(this, request);
          const end = performance.now() + 120;
          while (performance.now() < end);
          setTimeout(() => {
            seen.unanswered -= 1;
            postMessage.call(this, request);
          }, 1500);
        } as typeof postMessage;
      });
      await page().click('#start');
      await page().waitForFunction(
        () => (globalThis as unknown as { seen: { sizes: number[] } }).seen.sizes.length >= 3,
      );
      await page().click('#stop');
      await state('stopped');
      const { most, sizes } = await page().evaluate(
        () => (globalThis as unknown as { seen: { most: number; sizes: number[] } }).seen,
      );
      // What the worker had left when it stopped follows unasked.
      expect(most).toBeLessThanOrEqual(2);
      expect(Math.max(...sizes)).toBeGreaterThan(1);
      await page().waitForFunction(
        (count) => Number(document.querySelector<HTMLElement>('#smoothness')?.dataset.training) > count,
        before.training,
      );
    });
  },
  { prepare },
);
