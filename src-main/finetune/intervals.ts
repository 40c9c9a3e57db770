import { defined } from '../lib/errors.ts';
import type { Random } from '../lib/random.ts';
import { type ClassCounts, segmentationScores } from './metrics.ts';

/** A score that studies compare; both are means over the classes with an example. */
export type StudyMetric = 'meanIou' | 'meanDice';

/** The scores of one trained network: its pixel counts on every test group, in a fixed order. */
export interface ScoredCell {
  readonly seed: number;
  readonly groups: readonly ClassCounts[];
}

/** A mean over seeds with a 95 % interval; `interval` is `null` when the data cannot give one. */
export interface Estimate {
  readonly mean: number;
  readonly interval: readonly [low: number, high: number] | null;
  readonly perSeed: readonly number[];
}

export type Verdict = 'helped' | 'no clear difference' | 'hurt';

/** Resamples of the test groups: entry [r][g] = how often resample r drew group g. */
export type Resamples = readonly (readonly number[])[];

/** Draws `count` bootstrap resamples of `groups` test groups (with replacement, same number). */
export function drawResamples(groups: number, count: number, random: Random): Resamples {
  return Array.from({ length: count }, () => {
    const times = new Array<number>(groups).fill(0);
    for (let i = 0; i < groups; i++) {
      const group = random.integer(groups);
      times[group] = (times[group] ?? 0) + 1;
    }
    return times;
  });
}

/** Mean score of the networks of one start, with its interval. */
export function estimateScore(
  cells: readonly ScoredCell[],
  metric: StudyMetric,
  resamples: Resamples,
): Estimate {
  return estimate(
    cells.map((cell) => ({
      all: weightedScore(cell, metric),
      resampled: resampledScores(cell, metric, resamples),
    })),
    resamples,
  );
}

/**
 * Mean difference `cells - baseline`, paired by seed (same labelled images, same crops, same test
 * images) and by resample (same test images drawn for both).
 */
export function estimateDifference(
  cells: readonly ScoredCell[],
  baseline: readonly ScoredCell[],
  metric: StudyMetric,
  resamples: Resamples,
): Estimate {
  return estimate(
    cells.flatMap((cell) => {
      const other = baseline.find((candidate) => candidate.seed === cell.seed);
      if (other === undefined) return [];
      const [own, others] = [cell, other].map((each) => resampledScores(each, metric, resamples));
      return [
        {
          all: weightedScore(cell, metric) - weightedScore(other, metric),
          resampled: defined(own, 'scores').map((score, r) => score - (others?.[r] ?? 0)),
        },
      ];
    }),
    resamples,
  );
}

/** Helped or hurt only when the whole interval of the paired difference lies on one side of zero. */
export function verdictOf(difference: Estimate): Verdict {
  if (difference.interval === null || difference.perSeed.length < 2) return 'no clear difference';
  const [low, high] = difference.interval;
  if (low > 0) return 'helped';
  return high < 0 ? 'hurt' : 'no clear difference';
}

/**
 * The two-sided 95 % quantile of Student's t for any degrees of freedom >= 1. With
 * x = sqrt(dof) tan(a) the density becomes cos(a)^(dof-1), whose area is added up numerically.
 */
export function studentQuantile95(degreesOfFreedom: number): number {
  const bins = 20_000;
  const width = Math.PI / 2 / bins;
  const areas = Array.from({ length: bins }, (_, i) =>
    Math.exp((degreesOfFreedom - 1) * Math.log(Math.cos((i + 0.5) * width))),
  );
  let missing = 0.95 * areas.reduce((total, area) => total + area, 0);
  for (const [i, area] of areas.entries()) {
    if (missing <= area)
      return Math.sqrt(degreesOfFreedom) * Math.tan((i + missing / area) * width);
    missing -= area;
  }
  throw new Error(`No quantile for ${degreesOfFreedom} degrees of freedom`);
}

interface SeedScore {
  readonly all: number;
  readonly resampled: readonly number[];
}

/**
 * mean +- t * sqrt(V_images + V_seeds). V_images: variance of the seed mean over bootstrap resamples
 * of the test groups. V_seeds: sample variance of the seeds' scores / seeds. Their degrees of
 * freedom are joined by Satterthwaite's formula, so that three seeds widen the interval as much as
 * three observations must (t = 4.3 when training luck dominates). Resampling three seeds instead
 * would end at the lowest and highest seed and call one chance result in four a difference.
 */
function estimate(seeds: readonly SeedScore[], resamples: Resamples): Estimate {
  const perSeed = seeds.map((seed) => seed.all);
  const mean = average(perSeed);
  const groups = resamples[0]?.length ?? 0;
  if (groups < 2 || seeds.length === 0) return { mean, interval: null, perSeed };

  const means = resamples.map((_, r) => average(seeds.map((seed) => seed.resampled[r] ?? 0)));
  const images = variance(means);
  const luck = seeds.length > 1 ? variance(perSeed) / seeds.length : 0;
  const total = images + luck;
  if (total === 0) return { mean, interval: [mean, mean], perSeed };
  const dof = total ** 2 / (images ** 2 / (groups - 1) + luck ** 2 / Math.max(seeds.length - 1, 1));
  const half = studentQuantile95(dof) * Math.sqrt(total);
  return { mean, interval: [mean - half, mean + half], perSeed };
}

function resampledScores(cell: ScoredCell, metric: StudyMetric, resamples: Resamples): number[] {
  return resamples.map((times) => weightedScore(cell, metric, times));
}

/** The metric of counts added up over the groups, each taken `times[g]` times (once by default). */
function weightedScore(cell: ScoredCell, metric: StudyMetric, times?: readonly number[]): number {
  const classCount = cell.groups[0]?.truePositive.length ?? 0;
  const totals = Array.from({ length: 3 }, () => new Array<number>(classCount).fill(0));
  const [truePositive = [], falsePositive = [], falseNegative = []] = totals;
  for (const [g, group] of cell.groups.entries()) {
    const weight = times?.[g] ?? 1;
    if (weight === 0) continue;
    for (let c = 0; c < classCount; c++) {
      truePositive[c] = (truePositive[c] ?? 0) + weight * (group.truePositive[c] ?? 0);
      falsePositive[c] = (falsePositive[c] ?? 0) + weight * (group.falsePositive[c] ?? 0);
      falseNegative[c] = (falseNegative[c] ?? 0) + weight * (group.falseNegative[c] ?? 0);
    }
  }
  return segmentationScores({ truePositive, falsePositive, falseNegative })[metric] ?? 0;
}

function average(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / Math.max(values.length, 1);
}

/** The unbiased sample variance. */
function variance(values: readonly number[]): number {
  const mean = average(values);
  const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
  return squares / Math.max(values.length - 1, 1);
}
