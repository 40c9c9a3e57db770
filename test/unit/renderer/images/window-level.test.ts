import { expect, test } from 'vitest';
import { ScrollPace } from '../../../../src-renderer/screens/images/scroll-pace.ts';
import {
  allLevels,
  autoLevels,
  withHigh,
  withLow,
} from '../../../../src-renderer/screens/images/window-level.ts';

test('automatic levels leave out the darkest and brightest few', () => {
  const rgba = new Uint8ClampedArray(4000 * 4).fill(255);
  for (let pixel = 0; pixel < 4000; pixel++) {
    const level = pixel < 10 ? 0 : pixel < 20 ? 255 : 60 + (pixel % 40);
    rgba.fill(level, pixel * 4, pixel * 4 + 3);
  }
  expect(autoLevels(rgba)).toEqual({ low: 60, high: 99 });
});

test('an image of one level is shown as it is', () => {
  expect(autoLevels(new Uint8ClampedArray(400).fill(255))).toEqual(allLevels);
});

test('black and white never meet', () => {
  expect(withLow({ low: 0, high: 100 }, 150)).toEqual({ low: 150, high: 151 });
  expect(withLow(allLevels, 255)).toEqual({ low: 254, high: 255 });
  expect(withHigh({ low: 100, high: 255 }, 50)).toEqual({ low: 49, high: 50 });
  expect(withHigh(allLevels, 0)).toEqual({ low: 0, high: 1 });
});

test('a wheel that turns steadily is looking', () => {
  const pace = new ScrollPace();
  const steps = Array.from({ length: 20 }, (_, i) => pace.isScrubbing(i * 30, 700, i * 16));
  expect(steps).not.toContain(true);
});

test('one slow step does not end traveling, standing still does', () => {
  const pace = new ScrollPace();
  const at = (top: number, ms: number): boolean => pace.isScrubbing(top, 700, ms);
  expect(at(0, 0)).toBe(false);
  expect(at(5000, 16)).toBe(true);
  expect(at(5010, 32)).toBe(true);
  expect(at(9000, 48)).toBe(true);
  expect([at(9010, 64), at(9020, 80), at(9030, 96)]).toEqual([true, true, false]);
  expect(at(20_000, 112)).toBe(true);
  pace.settle();
  expect(at(20_010, 300)).toBe(false);
});
