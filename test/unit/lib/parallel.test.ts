import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ByteBudget, forEachParallel } from '../../../src-main/lib/parallel.ts';

test('runs every item, never more than the limit at a time', async () => {
  let running = 0;
  let most = 0;
  const seen: number[] = [];
  await forEachParallel([5, 1, 4, 2, 3], 2, async (ms) => {
    most = Math.max(most, ++running);
    await wait(ms);
    seen.push(ms);
    running--;
  });
  expect(most).toBe(2);
  expect(seen.sort()).toEqual([1, 2, 3, 4, 5]);
});

test('throws the first failure after the running ones have ended', async () => {
  const ended: number[] = [];
  const work = forEachParallel([0, 1, 2, 3], 2, async (item) => {
    if (item === 0) throw new Error('broken');
    await wait(5);
    ended.push(item);
  });
  await expect(work).rejects.toThrow('broken');
  expect(ended).toEqual([1]);
});

test('starts nothing once aborted', async () => {
  let started = 0;
  const work = () => Promise.resolve(void started++);
  await expect(forEachParallel([1, 2], 2, work, AbortSignal.abort())).rejects.toThrow('Cancelled');
  expect(started).toBe(0);
});

test('a byte budget lets tasks in as far as they fit, in order', async () => {
  const budget = new ByteBudget(100);
  let used = 0;
  let most = 0;
  const order: number[] = [];
  const sizes = [60, 60, 30, 500, 10];
  await Promise.all(
    sizes.map((bytes) =>
      budget.run(bytes, async () => {
        order.push(bytes);
        used += Math.min(bytes, 100);
        most = Math.max(most, used);
        await wait(2);
        used -= Math.min(bytes, 100);
      }),
    ),
  );
  expect(order).toEqual(sizes);
  expect(most).toBeLessThanOrEqual(100);
});
