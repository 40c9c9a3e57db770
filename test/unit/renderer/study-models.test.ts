import { describe, expect, it } from 'vitest';
import type { Finetuning } from '../../../src-main/contract/finetunings.ts';
import type { ShareResult } from '../../../src-main/contract/studies.ts';
import { intervalChart } from '../../../src-renderer/screens/study/interval-chart.ts';
import {
  baselineOf,
  largestConfusions,
  partOf,
  pixelText,
  rowShares,
} from '../../../src-renderer/screens/study/models.ts';
import { shareText, signedScore } from '../../../src-renderer/screens/study/words.ts';

function model(runId: string, change: Partial<Finetuning> = {}): Finetuning {
  return {
    runId,
    name: runId,
    status: 'done',
    start: 'random',
    share: 0.1,
    seed: 0,
    parent: null,
    study: { studyId: 'one', name: 'one' },
    createdAt: 0,
    finishedAt: 0,
    step: 1,
    totalSteps: 1,
    trainImages: 10,
    valIou: 0.5,
    testIou: 0.5,
    testDice: 0.5,
    bytes: 1,
    hasModel: true,
    isOffered: false,
    ...change,
  };
}

describe('baselineOf', () => {
  const others = [model('other seed', { seed: 1 }), model('pair'), model('alone', { study: null })];

  it('is the random start with the same labels and seed of the same study', () => {
    const own = model('own', { start: 'encoder' });
    expect(baselineOf(own, others)?.runId).toBe('pair');
    expect(baselineOf(model('x', { start: 'encoder', share: 1 }), others)?.runId).toBe(
      'other seed',
    );
  });

  it('of a baseline of a study is nothing', () => {
    expect(baselineOf(model('pair'), others)).toBeUndefined();
  });
});

describe('confusion', () => {
  it('gives shares of the rows, and none of a class without example', () => {
    expect(rowShares([3, 1, 0, 0], 2)).toEqual([0.75, 0.25, null, null]);
  });

  it('names the largest confusions first', () => {
    const pairs = largestConfusions([90, 4, 6, 1, 80, 9, 0, 0, 50], 3);
    expect(pairs.map(({ truth, predicted, pixels }) => [truth, predicted, pixels])).toEqual([
      [1, 2, 9],
      [0, 2, 6],
      [0, 1, 4],
      [1, 0, 1],
    ]);
    expect(pairs[0]?.share).toBeCloseTo(0.1);
  });
});

describe('words', () => {
  it('writes shares, differences and pixels shortly', () => {
    expect([shareText(0.05), shareText(14 / 110), shareText(1)]).toEqual([
      '5\u202f%',
      '13\u202f%',
      '100\u202f%',
    ]);
    expect([signedScore(0.0142), signedScore(-0.003)]).toEqual(['+0.014', '\u22120.003']);
    expect([pixelText(999), pixelText(1234), pixelText(1.25e6)]).toEqual([
      '999',
      '1.2\u202fk',
      '1.3\u202fM',
    ]);
  });

  it('shows the test images unless others are asked for and there', () => {
    const part = {
      images: 1,
      meanIou: 1,
      meanDice: 1,
      pixelAccuracy: 1,
      classes: [],
      confusion: [],
    };
    expect(partOf({ val: part, test: part }, {})).toBe('test');
    expect(partOf({ val: part, test: part }, { part: 'val' })).toBe('val');
    expect(partOf({ val: part, test: null }, {})).toBe('val');
  });
});

describe('intervalChart', () => {
  const estimate = (mean: number) => {
    const interval: [number, number] = [mean - 0.1, mean + 0.1];
    return { mean, interval, perSeed: [mean - 0.05, mean + 0.05] };
  };
  const shares: ShareResult[] = [0.1, 1].map((share) => ({
    share,
    trainImages: 110 * share,
    starts: (['random', 'encoder+decoder'] as const).map((start, i) => ({
      start,
      seeds: [0, 1],
      meanIou: estimate(0.5 + 0.1 * i),
      meanDice: estimate(0.6),
    })),
    comparisons: [],
    sentence: '',
  }));
  const chart = intervalChart(shares, 'meanIou', { width: 600, height: 300 });

  it('places every mean inside its interval and the plot', () => {
    expect(chart.marks).toHaveLength(4);
    for (const { x, y, interval } of chart.marks) {
      const [top, bottom] = interval ?? [0, 0];
      expect(top).toBeLessThan(y);
      expect(y).toBeLessThan(bottom);
      expect(top).toBeGreaterThanOrEqual(chart.plot.top);
      expect(bottom).toBeLessThanOrEqual(chart.plot.bottom);
      expect(x).toBeGreaterThan(chart.plot.left);
    }
  });

  it('puts the better one higher and the starts side by side', () => {
    const [random, pretrained] = chart.marks;
    expect(pretrained?.y).toBeLessThan(random?.y ?? 0);
    expect(pretrained?.x).toBeGreaterThan(random?.x ?? 0);
  });
});
