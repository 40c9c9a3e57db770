import { startPosition } from '../pretrain/checkpoint.ts';
import { planBudget } from './budget.ts';
import { evaluate } from './evaluate.ts';
import { networkWeights, type Training } from './training.ts';

/** How long a run trains, and how often it is estimated. */
export interface Length {
  readonly steps: number;
  readonly evaluations: number;
}

/**
 * The run's length. `auto` is measured once: a few steps and one prediction are timed and undone, the
 * rest of the time budget is filled, and the numbers are stored with the run, which from then on is
 * as reproducible as one with a given number of steps.
 */
export async function measureLength(training: Training, startedAt: number): Promise<Length> {
  const { project, run, config, control } = training;
  if (config.steps !== 'auto') return { steps: config.steps, evaluations: config.evaluations };
  control.report({ phase: 'Measuring speed', done: 0, total: timedSteps, unit: 'step' });
  const facts = {
    budgetSeconds: config.timeBudgetSeconds ?? 0,
    stepSeconds: await stepSeconds(training),
    imageSeconds: await imageSeconds(training),
    quickImages: training.data.quickIds.length,
    finalImages: training.data.valIds.length + training.data.testIds.length,
    evaluations: config.evaluations,
  };
  const spentSeconds = (performance.now() - startedAt) / 1000;
  const length = planBudget({ ...facts, spentSeconds });
  project.runs.setConfig(run.id, { ...config, ...length });
  control.notice(
    `A step takes ${facts.stepSeconds.toFixed(2)} s, so ${length.steps} steps fit into the time.`,
  );
  return length;
}

/** Median seconds of a step after the first two, which allocate; the state stays as it was. */
async function stepSeconds({ step, trainStep, control }: Training): Promise<number> {
  const before = await step.readState();
  const seconds: number[] = [];
  for (let i = 0; i < timedSteps; i++) {
    const figures = await trainStep({ ...startPosition, step: i }, warmupOnly);
    seconds.push(figures?.seconds ?? 0);
    control.report({ phase: 'Measuring speed', done: i + 1, total: timedSteps, unit: 'step' });
  }
  await step.writeState(before);
  const steady = seconds.slice(2).sort((a, b) => a - b);
  return steady[Math.floor(steady.length / 2)] ?? 0;
}

/** Seconds to score one held-out image, after a first one that allocates. */
async function imageSeconds(training: Training): Promise<number> {
  const { data, predictor, control } = training;
  const [first, ...others] = data.quickIds.slice(0, 5);
  if (first === undefined) return 0;
  const params = await networkWeights(training);
  const options = { params, open: data.open, signal: control.signal };
  await evaluate(predictor, { ...options, imageIds: [first] });
  const started = performance.now();
  const imageIds = others.length > 0 ? others : [first];
  await evaluate(predictor, { ...options, imageIds });
  return (performance.now() - started) / 1000 / imageIds.length;
}

const timedSteps = 8;
/** A schedule so long that the timed steps lie in its warm-up. */
const warmupOnly = 1e6;
