import { expect, it } from 'vitest';
import { describeInChromium } from './support/page.ts';

describeInChromium('worker-training', (page) => {
  const state = (wanted: string) => page().waitForSelector(`#status[data-state=${wanted}]`);
  const text = async () => (await page().textContent('#status')) ?? '';
  const stepOf = async () => Number(/step (\d+)/i.exec(await text())?.[1]);
  const longTasks = async () => {
    const line = await page().waitForSelector('#smoothness[data-others]');
    return line.evaluate((element) => {
      const { training, others } = (element as HTMLElement).dataset;
      return { training: Number(training), others: Number(others) };
    });
  };

  it('counts a long task of its own thread', async () => {
    const before = await longTasks();
    await page().evaluate(() => {
      setTimeout(() => {
        const end = performance.now() + 150;
        while (performance.now() < end);
      });
    });
    await page().waitForFunction(
      (count) => Number(document.querySelector<HTMLElement>('#smoothness')?.dataset.others) > count,
      before.others,
    );
  });

  it('trains, pauses, goes on and stops, and the page is not held up by its steps', async () => {
    const before = await longTasks();
    const frames = await page().evaluate(() => {
      const counter = { count: 0 };
      const next = () => {
        counter.count += 1;
        requestAnimationFrame(next);
      };
      next();
      Object.assign(globalThis, { frameCounter: counter });
      return counter.count;
    });
    await page().fill('#batch', '2');
    await page().click('#start');
    await state('training');
    await page().waitForFunction(
      () => Number(/step (\d+)/i.exec(document.querySelector('#status')?.textContent ?? '')?.[1]) >= 6,
    );
    await page().click('#pause');
    await state('paused');
    const paused = await stepOf();
    expect(paused).toBeGreaterThanOrEqual(6);
    await page().waitForTimeout(500);
    expect(await stepOf()).toBe(paused);
    await page().click('#pause');
    await state('training');
    await page().waitForFunction(
      (step) => Number(/step (\d+)/i.exec(document.querySelector('#status')?.textContent ?? '')?.[1]) > step + 3,
      paused,
    );
    await page().click('#stop');
    await state('stopped');
    expect(await stepOf()).toBeGreaterThan(paused + 3);
    await page().waitForTimeout(600);
    // Training in the page would be a long task for each of ten steps and more. Where other programs take the processor away
    // for 50 ms in the middle of a message, that looks like one too.
    expect((await longTasks()).training - before.training).toBeLessThanOrEqual(2);
    const drawn = await page().evaluate(
      () => (globalThis as unknown as { frameCounter: { count: number } }).frameCounter.count,
    );
    expect(drawn).toBeGreaterThan(frames + 30);
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
    await page().waitForFunction(() => (globalThis as unknown as { seen: { sizes: number[] } }).seen.sizes.length >= 3);
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
});
