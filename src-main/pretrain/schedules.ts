import type { PretrainConfig } from './config.ts';

/** One warm-up and cosine cycle. All counts in steps. */
export interface Schedule {
  /** Peak learning rate, already scaled to the batch. */
  readonly learningRate: number;
  readonly warmupSteps: number;
  readonly totalSteps: number;
  /** Teacher momentum at the first step; it rises to 1. */
  readonly teacherMomentum: number;
  /** Steps over which the teacher momentum rises; about `totalSteps`. */
  readonly momentumSteps: number;
}

/**
 * Learning rate before step `step` (0-based): linear from 1 % of the peak over the warm-up, then
 * cosine down to 1e-6 (SlotCon, released code).
 */
export function learningRateAt(schedule: Schedule, step: number): number {
  const { learningRate, warmupSteps, totalSteps } = schedule;
  if (warmupSteps > 0 && step <= warmupSteps) {
    return (learningRate / 100) * ((99 * step) / warmupSteps + 1);
  }
  const share = (step - warmupSteps) / Math.max(totalSteps - warmupSteps, 1);
  return 1e-6 + ((learningRate - 1e-6) * (1 + Math.cos(Math.PI * share))) / 2;
}

/** Teacher momentum at update counter `counter` (0 at the first step): 1 - (1 - m0)(1 + cos)/2. */
export function teacherMomentumAt(schedule: Schedule, counter: number): number {
  const cosine = Math.cos((Math.PI * counter) / schedule.momentumSteps);
  return 1 - ((1 - schedule.teacherMomentum) * (1 + cosine)) / 2;
}

/** The learning rate and the teacher's momenta of one step of a run. */
export interface StepRates {
  readonly learningRate: number;
  /** Of encoder, encoder heads and encoder prototypes. */
  readonly encoderMomentum: number;
  readonly decoderMomentum: number;
}

/**
 * The rates of step `step` (0-based) of a whole run: a first cycle of `steps`, then one cycle for
 * every extension. The learning rate is meant for 256 images a step and scales with the batch.
 */
export function ratesAt(
  config: Pick<
    PretrainConfig,
    | 'learningRate'
    | 'batchSize'
    | 'warmupSteps'
    | 'steps'
    | 'extensions'
    | 'teacherMomentum'
    | 'ema'
  >,
  step: number,
): StepRates {
  const { cycleSteps, localStep, isFirst } = cycleAt([config.steps, ...config.extensions], step);
  const schedule = {
    learningRate: (config.learningRate * config.batchSize) / 256,
    warmupSteps: isFirst
      ? config.warmupSteps
      : Math.min(config.warmupSteps, Math.floor(cycleSteps / 10)),
    totalSteps: cycleSteps,
    teacherMomentum: config.teacherMomentum,
    momentumSteps: cycleSteps,
  };
  // The released code advances one counter twice a step, first for the encoder.
  const released = config.ema === 'released';
  return {
    learningRate: learningRateAt(schedule, localStep),
    encoderMomentum: teacherMomentumAt(schedule, released ? 2 * localStep : localStep),
    decoderMomentum: teacherMomentumAt(schedule, released ? 2 * localStep + 1 : localStep),
  };
}

/** Steps of a run with all its extensions. */
export function totalSteps(config: Pick<PretrainConfig, 'steps' | 'extensions'>): number {
  return config.extensions.reduce((sum, steps) => sum + steps, config.steps);
}

function cycleAt(
  cycles: readonly number[],
  step: number,
): { readonly cycleSteps: number; readonly localStep: number; readonly isFirst: boolean } {
  let start = 0;
  for (const cycleSteps of cycles) {
    if (step < start + cycleSteps)
      return { cycleSteps, localStep: step - start, isFirst: start === 0 };
    start += cycleSteps;
  }
  throw new RangeError(`Step ${step} is beyond the end of the run at ${start}`);
}
