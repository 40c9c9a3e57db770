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

/** The reference's schedule in epochs of whole batches: `imageCount` images, the rest dropped. */
export function epochSchedule(options: {
  readonly imageCount: number;
  readonly batch: number;
  readonly epochs: number;
  readonly warmupEpochs: number;
  readonly learningRate: number;
  readonly teacherMomentum: number;
}): Schedule {
  const { imageCount, batch, epochs, warmupEpochs, learningRate, teacherMomentum } = options;
  const stepsPerEpoch = Math.max(Math.floor(imageCount / batch), 1);
  return {
    learningRate,
    warmupSteps: warmupEpochs * stepsPerEpoch,
    totalSteps: epochs * stepsPerEpoch,
    teacherMomentum,
    momentumSteps: Math.max(Math.trunc((imageCount / batch) * epochs), 1),
  };
}

/** A schedule that fills `totalSteps`, with the given share of it as warm-up. */
export function stepSchedule(options: {
  readonly totalSteps: number;
  readonly warmupShare: number;
  readonly learningRate: number;
  readonly teacherMomentum: number;
}): Schedule {
  const { totalSteps, warmupShare, learningRate, teacherMomentum } = options;
  return {
    learningRate,
    warmupSteps: Math.round(totalSteps * warmupShare),
    totalSteps,
    teacherMomentum,
    momentumSteps: totalSteps,
  };
}
