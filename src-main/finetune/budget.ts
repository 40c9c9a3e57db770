import type { FinetuneConfig } from './config.ts';

/** What was measured on the first steps, and what has to fit. Times in seconds. */
export interface BudgetFacts {
  readonly budgetSeconds: number;
  /** Already spent: decoding, compiling, measuring. */
  readonly spentSeconds: number;
  readonly stepSeconds: number;
  /** Predicting and scoring one held-out image. */
  readonly imageSeconds: number;
  /** Images of a quick estimate, and of the final scores. */
  readonly quickImages: number;
  readonly finalImages: number;
  /** Quick estimates wanted. */
  readonly evaluations: number;
}

/**
 * How many steps and quick estimates fit into a time budget. Quick estimates get at most a sixth of
 * it; a tenth of the step time is kept for checkpoints and slower moments.
 */
export function planBudget(facts: BudgetFacts): {
  readonly steps: number;
  readonly evaluations: number;
} {
  const quickSeconds = facts.quickImages * facts.imageSeconds;
  const affordable =
    quickSeconds === 0 ? facts.evaluations : facts.budgetSeconds / 6 / quickSeconds;
  const evaluations = Math.max(1, Math.min(facts.evaluations, Math.floor(affordable)));
  const left =
    facts.budgetSeconds -
    facts.spentSeconds -
    evaluations * quickSeconds -
    facts.finalImages * facts.imageSeconds;
  return { evaluations, steps: Math.max(leastSteps, Math.floor((0.9 * left) / facts.stepSeconds)) };
}

/** Fewer steps than this cannot train anything; a budget below that is overrun. */
const leastSteps = 20;

type ScheduleConfig = Pick<FinetuneConfig, 'schedule' | 'warmupShare'>;

/** Learning rate as a share of its peak before step `step` (0-based) of `total`. */
export function rateShare(
  { schedule, warmupShare }: ScheduleConfig,
  step: number,
  total: number,
): number {
  const warmup = Math.round(warmupShare * total);
  if (step < warmup) return (step + 1) / warmup;
  const done = (step - warmup) / Math.max(total - warmup, 1);
  return schedule === 'poly' ? (1 - done) ** 0.9 : (1 + Math.cos(Math.PI * done)) / 2;
}

/** The finished steps after which a quick estimate is made: evenly spread, the last one included. */
export function evaluationSteps(total: number, evaluations: number): ReadonlySet<number> {
  const count = Math.min(evaluations, total);
  return new Set(Array.from({ length: count }, (_, i) => Math.round(((i + 1) * total) / count)));
}
