import type { HostTensors } from '../graph/types.ts';
import { symmetricEigenvalues } from '../lib/eigenvalues.ts';
import { defined } from '../lib/errors.ts';

export type Verdict = 'healthy' | 'watch' | 'collapsed';

/** How one loss level does; shares are 0..1. */
export interface LevelHealth {
  readonly level: string;
  /** Directions the features use: exp(entropy of the covariance's spectrum), Roy and Vetterli 2007. */
  readonly effectiveRank: number;
  /** Standard deviation of unit-length features, times sqrt(D): 1 when spread out, 0 when all equal. */
  readonly featureDeviation: number;
  /** Entropy of prototype use over its maximum ln K. */
  readonly prototypeEntropy: number;
  /** Share of pixels where student and teacher choose the same prototype. */
  readonly agreement: number;
  /** What `agreement` would be if both chose independently. */
  readonly chance: number;
  readonly verdict: Verdict;
  /** What was seen and what to do; absent when healthy. */
  readonly remedy?: string;
}

/**
 * Judges every level found in a step's outputs. Before `settled` (the end of the warm-up) features
 * are still those of random weights and nothing is called collapsed.
 */
export function judgeHealth(outputs: HostTensors, settled: boolean): readonly LevelHealth[] {
  const levels = Object.keys(outputs)
    .map((name) => /^health\.(.+)\.mean$/.exec(name)?.[1])
    .filter((level) => level !== undefined);
  return levels.map((level) => {
    const read = (what: string): Float64Array =>
      Float64Array.from(defined(outputs[`health.${level}.${what}`], `${what} of ${level}`).data);
    const figures = {
      ...spread(read('mean'), read('moment')),
      prototypeEntropy: normalizedEntropy(read('usage')),
      agreement: read('agreement')[0] ?? 0,
      chance: read('usage').reduce((sum, share) => sum + share * share, 0),
    };
    return { level, ...figures, ...judge(figures, read('mean').length, settled) };
  });
}

/** The worst verdict of all levels. */
export function overallVerdict(levels: readonly LevelHealth[]): Verdict {
  if (levels.some(({ verdict }) => verdict === 'collapsed')) return 'collapsed';
  return levels.some(({ verdict }) => verdict === 'watch') ? 'watch' : 'healthy';
}

/** The figures as metrics, named `health.<level>.<figure>`, and `health.verdict` (0, 1, 2). */
export function healthMetrics(levels: readonly LevelHealth[]): Record<string, number> {
  const metrics: Record<string, number> = { 'health.verdict': rank[overallVerdict(levels)] };
  for (const health of levels) {
    for (const figure of figureNames) metrics[`health.${health.level}.${figure}`] = health[figure];
  }
  return metrics;
}

/** The verdict among metrics written by `healthMetrics`. */
export function verdictFromMetrics(metrics: Readonly<Record<string, number>>): Verdict | undefined {
  return verdicts.find((verdict) => rank[verdict] === metrics['health.verdict']);
}

/** Judges metrics written by `healthMetrics` again; `dim` is the length of a projection. */
export function healthFromMetrics(
  metrics: Readonly<Record<string, number>>,
  dim: number,
  settled: boolean,
): readonly LevelHealth[] {
  const levels = Object.keys(metrics)
    .map((name) => /^health\.(.+)\.effectiveRank$/.exec(name)?.[1])
    .filter((level) => level !== undefined);
  return levels.map((level) => {
    const figure = (name: string): number => metrics[`health.${level}.${name}`] ?? 0;
    const figures = {
      effectiveRank: figure('effectiveRank'),
      featureDeviation: figure('featureDeviation'),
      prototypeEntropy: figure('prototypeEntropy'),
      agreement: figure('agreement'),
      chance: figure('chance'),
    };
    return { level, ...figures, ...judge(figures, dim, settled) };
  });
}

type Figures = Pick<LevelHealth, (typeof figureNames)[number]>;

function spread(
  mean: Float64Array,
  moment: Float64Array,
): { readonly effectiveRank: number; readonly featureDeviation: number } {
  const size = mean.length;
  const covariance = moment.map(
    (value, i) => value - (mean[Math.floor(i / size)] ?? 0) * (mean[i % size] ?? 0),
  );
  let deviation = 0;
  for (let i = 0; i < size; i++) deviation += Math.sqrt(Math.max(covariance[i * size + i] ?? 0, 0));
  const spectrum = symmetricEigenvalues(covariance, size).map((value) => Math.max(value, 0));
  return {
    effectiveRank: Math.exp(entropy(spectrum)),
    featureDeviation: deviation / Math.sqrt(size),
  };
}

function judge(
  figures: Figures,
  dim: number,
  settled: boolean,
): { readonly verdict: Verdict; readonly remedy?: string } {
  const findings = rules.map((rule) => ({
    verdict: rule.verdict(figures, dim),
    remedy: rule.remedy,
  }));
  const worst = findings.reduce((a, b) => (rank[b.verdict] > rank[a.verdict] ? b : a));
  if (worst.verdict === 'healthy') return { verdict: 'healthy' };
  return { verdict: settled ? worst.verdict : 'watch', remedy: worst.remedy };
}

function below(value: number, collapsed: number, watch: number): Verdict {
  if (value < collapsed) return 'collapsed';
  return value < watch ? 'watch' : 'healthy';
}

function normalizedEntropy(weights: Float64Array): number {
  return weights.length < 2 ? 0 : entropy(weights) / Math.log(weights.length);
}

/** Shannon entropy in nats of weights that need not sum to 1; 0 when all are 0. */
function entropy(weights: Float64Array): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total <= 0) return 0;
  return weights.reduce((sum, weight) => {
    const share = weight / total;
    return share > 0 ? sum - share * Math.log(share) : sum;
  }, 0);
}

const verdicts: readonly Verdict[] = ['healthy', 'watch', 'collapsed'];
const rank: Readonly<Record<Verdict, number>> = { healthy: 0, watch: 1, collapsed: 2 };

const figureNames = [
  'effectiveRank',
  'featureDeviation',
  'prototypeEntropy',
  'agreement',
  'chance',
] as const;

/** Thresholds are ours; the remedies are ordered by how often they help. */
const rules: readonly {
  readonly verdict: (figures: Figures, dim: number) => Verdict;
  readonly remedy: string;
}[] = [
  {
    verdict: ({ featureDeviation }) => below(featureDeviation, 0.05, 0.2),
    remedy:
      'The features of all places are nearly equal. Halve the learning rate, or use a larger batch.',
  },
  {
    verdict: ({ prototypeEntropy }) => below(prototypeEntropy, 0.1, 0.4),
    remedy:
      'Few prototypes are in use. Use fewer prototypes, a larger batch, or a lower learning rate.',
  },
  {
    verdict: ({ effectiveRank }, dim) => below(effectiveRank, 1.5, Math.max(3, dim * 0.03)),
    remedy:
      'The features vary in few directions. Train longer, or use more varied images or a larger batch.',
  },
  {
    verdict: ({ agreement, chance }) => below(agreement, 0, Math.min(1.2 * chance, 0.5)),
    remedy:
      'Student and teacher agree no more than by chance. Halve the learning rate, or train longer.',
  },
];
