import { expect, it } from 'vitest';
import { Pace } from '../../../src-main/lib/pace.ts';

it('gives a range around the mean of recent steps', () => {
  const pace = new Pace(4);
  expect(pace.median).toBeUndefined();
  pace.add(9);
  pace.add(2);
  expect(pace.remaining(10)).toBeUndefined();
  pace.add(2);
  pace.add(2);
  pace.add(2);
  expect(pace.median).toBe(2);
  const [low = 0, high = 0] = pace.remaining(10) ?? [];
  expect(low).toBeCloseTo(19, 9);
  expect(high).toBeCloseTo(21, 9);
});
