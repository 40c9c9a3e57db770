import { describe, expect, it } from 'vitest';
import { evaluationSteps, planBudget, rateShare } from '../../../src-main/finetune/budget.ts';

describe('planBudget', () => {
  const facts = {
    budgetSeconds: 240,
    spentSeconds: 10,
    stepSeconds: 0.4,
    imageSeconds: 0.1,
    quickImages: 30,
    finalImages: 180,
    evaluations: 10,
  };

  it('fills the time with steps after all scoring is paid for', () => {
    const { steps, evaluations } = planBudget(facts);
    expect(evaluations).toBe(10);
    const total = 10 + steps * 0.4 + evaluations * 3 + 18;
    expect(total).toBeLessThanOrEqual(240);
    expect(total).toBeGreaterThan(210);
  });

  it('estimates less often when estimates are slow, but at least once', () => {
    expect(planBudget({ ...facts, imageSeconds: 0.3 }).evaluations).toBe(4);
    expect(planBudget({ ...facts, imageSeconds: 5 }).evaluations).toBe(1);
  });

  it('trains a few steps even when nothing fits', () => {
    expect(planBudget({ ...facts, budgetSeconds: 5 }).steps).toBe(20);
  });
});

describe('rateShare', () => {
  it('warms up to the peak and falls to nearly nothing', () => {
    for (const schedule of ['poly', 'cosine'] as const) {
      const at = (step: number) => rateShare({ schedule, warmupShare: 0.1 }, step, 100);
      expect(at(0)).toBeCloseTo(0.1);
      expect(at(9)).toBe(1);
      expect(at(10)).toBe(1);
      expect(at(99)).toBeLessThan(0.03);
      expect(at(50)).toBeGreaterThan(at(70));
    }
    expect(rateShare({ schedule: 'poly', warmupShare: 0 }, 50, 100)).toBeCloseTo(0.5 ** 0.9);
  });
});

describe('evaluationSteps', () => {
  it('spreads estimates evenly and ends with one', () => {
    expect([...evaluationSteps(100, 4)]).toEqual([25, 50, 75, 100]);
    expect([...evaluationSteps(3, 10)]).toEqual([1, 2, 3]);
  });
});
