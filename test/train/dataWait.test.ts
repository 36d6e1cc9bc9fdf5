import { expect, it } from 'vitest';
import { DataWait } from '../../src/train/dataWait.ts';

/** A clock that tests set, and promises that settle when they say so. */
function scene() {
  let time = 0;
  const wait = new DataWait(() => time);
  const later = <T>(value: T) => {
    let settle = (): void => undefined;
    const promise = new Promise<T>((resolve) => {
      settle = () => resolve(value);
    });
    const at = async (moment: number): Promise<void> => {
      time = moment;
      settle();
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { promise, at };
  };
  return { wait, later, set: (moment: number) => (time = moment) };
}

it('counts the wait for the first batch, and none while the GPU is at work', async () => {
  const { wait, later } = scene();
  const [first, second, step] = [later('a'), later('b'), later(1)];
  const got = wait.for(first.promise);
  await first.at(10);
  expect(await got).toBe('a');
  expect(wait.milliseconds).toBe(10);
  wait.busyUntil(step.promise);
  const next = wait.for(second.promise);
  await second.at(30);
  expect(await next).toBe('b');
  await step.at(40);
  expect(wait.milliseconds).toBe(10);
});

it('counts from the end of the last recorded step, or from the request if that is later', async () => {
  const { wait, later, set } = scene();
  const [older, newer, batch, other] = [later(1), later(2), later('a'), later('b')];
  wait.busyUntil(older.promise);
  wait.busyUntil(newer.promise);
  const got = wait.for(batch.promise);
  await older.at(5);
  await newer.at(20);
  await batch.at(26);
  await got;
  expect(wait.milliseconds).toBe(6);
  set(50);
  const again = wait.for(other.promise);
  await other.at(53);
  await again;
  expect(wait.milliseconds).toBe(9);
});

it('counts after a step that failed, too', async () => {
  const { wait, later } = scene();
  const batch = later('a');
  wait.busyUntil(Promise.reject(new Error('bad')));
  const got = wait.for(batch.promise);
  await new Promise((resolve) => setImmediate(resolve));
  await batch.at(7);
  await got;
  expect(wait.milliseconds).toBe(7);
});
