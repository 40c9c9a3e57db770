import { describe, expect, it } from 'vitest';
import {
  drawResamples,
  estimateDifference,
  estimateScore,
  type ScoredCell,
  studentQuantile95,
  verdictOf,
} from '../../../src-main/finetune/intervals.ts';
import { Random } from '../../../src-main/lib/random.ts';

/** Networks with about the given Dice on 60 groups of two classes, one a seed. */
function cells(dices: readonly number[], random: Random): ScoredCell[] {
  return dices.map((dice, seed) => ({
    seed,
    groups: Array.from({ length: 60 }, () => {
      const found = Math.round(1000 * Math.min(1, Math.max(0, dice + 0.02 * random.normal())));
      const missed = 1000 - found;
      return {
        truePositive: [found, found],
        falsePositive: [missed, missed],
        falseNegative: [missed, missed],
      };
    }),
  }));
}

const resamples = drawResamples(60, 300, new Random(1));

describe('estimates', () => {
  it('knows the quantiles of Student t', () => {
    expect(studentQuantile95(1)).toBeCloseTo(12.706, 2);
    expect(studentQuantile95(2)).toBeCloseTo(4.303, 2);
    expect(studentQuantile95(10)).toBeCloseTo(2.228, 3);
    expect(studentQuantile95(1e4)).toBeCloseTo(1.96, 2);
  });

  it('puts the mean over seeds into its interval', () => {
    const score = estimateScore(cells([0.8, 0.82, 0.81], new Random(2)), 'meanDice', resamples);
    expect(score.mean).toBeCloseTo(0.81, 2);
    expect(score.perSeed).toHaveLength(3);
    expect(score.interval?.[0]).toBeLessThan(score.mean);
    expect(score.interval?.[1]).toBeGreaterThan(score.mean);
  });

  it('has no interval for a single test group', () => {
    const one = drawResamples(1, 50, new Random(1));
    const score = estimateScore(cells([0.8, 0.82], new Random(2)), 'meanDice', one);
    expect(score.interval).toBeNull();
  });
});

describe('verdictOf', () => {
  const verdict = (own: readonly number[], baseline: readonly number[]) => {
    const random = new Random(5);
    const difference = estimateDifference(
      cells(own, random),
      cells(baseline, random),
      'meanDice',
      resamples,
    );
    return { difference, verdict: verdictOf(difference) };
  };

  it('sees a steady gain as help and a steady loss as harm', () => {
    const gain = verdict([0.85, 0.86, 0.84], [0.8, 0.81, 0.79]);
    expect(gain.difference.mean).toBeCloseTo(0.05, 2);
    expect(gain.verdict).toBe('helped');
    expect(verdict([0.8, 0.81, 0.79], [0.85, 0.86, 0.84]).verdict).toBe('hurt');
  });

  it('does not call a difference within the spread of three seeds', () => {
    // All three seeds gain, but by amounts that differ as much as the gain itself.
    const scattered = verdict([0.81, 0.85, 0.9], [0.8, 0.8, 0.8]);
    expect(scattered.difference.perSeed.every((value) => value > 0)).toBe(true);
    expect(scattered.verdict).toBe('no clear difference');
    expect(verdict([0.8, 0.8, 0.8], [0.8, 0.8, 0.8]).verdict).toBe('no clear difference');
  });

  it('gives no verdict from one seed', () => {
    expect(verdict([0.9], [0.5]).verdict).toBe('no clear difference');
  });

  it('pairs by seed and leaves out seeds without a partner', () => {
    const random = new Random(3);
    const [first, second] = cells([0.9, 0.7], random);
    if (first === undefined || second === undefined) throw new Error('two cells expected');
    const baseline = [{ ...second, seed: 1 }];
    const difference = estimateDifference([first, second], baseline, 'meanIou', resamples);
    expect(difference.perSeed).toEqual([0]);
  });
});
