import { expect, test } from 'vitest';
import { watchPeakMemory } from '../../../src-main/pretrain/peak-memory.ts';

test('the peak holds what is given back at once', () => {
  const peak = watchPeakMemory();
  const before = peak();
  hold(200e6);
  expect(peak() - before).toBeGreaterThan(150e6);
});

test.runIf(process.platform === 'linux')('a new watch forgets an earlier peak', () => {
  hold(300e6);
  const earlier = process.resourceUsage().maxRSS * 1024;
  expect(earlier - watchPeakMemory()()).toBeGreaterThan(200e6);
});

/** Fills that many bytes and gives them back. */
function hold(bytes: number): void {
  const held = new ArrayBuffer(bytes);
  new Uint8Array(held).fill(1);
  held.transfer(0);
}
