import { rmSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import * as v from 'valibot';
import { requireHalf } from '../graph/half-device.ts';
import type { Device, HostData } from '../graph/types.ts';
import { AppError, defined, throwIfCancelled } from '../lib/errors.ts';
import { Pace } from '../lib/pace.ts';
import type { RunControl } from '../lib/progress.ts';
import { type Position, readCheckpoint, writeCheckpoint } from '../pretrain/checkpoint.ts';
import type { Project } from '../project/project.ts';
import { evaluationSteps } from './budget.ts';
import { type Length, measureLength } from './calibration.ts';
import { parseFinetuneConfig } from './config.ts';
import { type FinetuneData, openFinetuneData } from './data.ts';
import { evaluate } from './evaluate.ts';
import { considerBest, storeFinal } from './result.ts';
import {
  networkWeights,
  openTraining,
  type StepFigures,
  type Training,
  type TrainingRequest,
} from './training.ts';

/**
 * Trains a segmentation network on the project's labelled images, or continues where the run's last
 * checkpoint stands. Leaves the weights with the best quick estimate as the run's `final` checkpoint
 * and their scores on all validation and test images as its result. On `pause` it writes a
 * checkpoint and returns; on `stop` it finishes with what it has.
 * @throws AppError `config.invalid`, `splits.*`, `weights.*`, `device.no-half`, `finetune.diverged`;
 * CancelledError
 */
export async function runFinetuning(
  project: Project,
  runId: string,
  device: Device,
  control: RunControl,
): Promise<void> {
  const startedAt = performance.now();
  const run = defined(project.runs.get(runId), `run ${runId}`);
  const hasState = project.checkpoints.get(runId, 'latest') !== undefined;
  if (run.result !== null && !hasState) return; // it was complete when it was interrupted
  const config = parseFinetuneConfig(run.config);
  if (config.precision === 'half') await requireHalf(device);
  const data = await openFinetuneData(project, config, control);
  try {
    tellOfNewLabels(project, runId, data, control);
    await trainOn(data, { project, run, config, device, control }, startedAt);
  } finally {
    data.dispose();
  }
}

/** A run that goes on with other labels than it began with is no exact continuation any more. */
function tellOfNewLabels(
  project: Project,
  runId: string,
  { labelRevision }: FinetuneData,
  control: RunControl,
): void {
  const key = `finetune.labels.${runId}`;
  const earlier = project.settings.get(key, v.string());
  if (earlier === undefined) project.settings.set(key, labelRevision);
  else if (earlier !== labelRevision) {
    control.notice(
      'The labels have changed since this run began. It goes on with the present ones, so it is not the same training any more; a new run compares better.',
    );
  }
}

/** `runFinetuning` on data that are open; `startedAt` (`performance.now()`) begins the time budget. */
export async function trainOn(
  data: FinetuneData,
  request: TrainingRequest,
  startedAt: number,
): Promise<void> {
  const { project, run } = request;
  const { training, position } = await openTraining(data, request);
  try {
    const length = await measureLength(training, startedAt);
    const outcome = await train({ ...training, ...length }, position);
    if (outcome === undefined) return;
    await storeFinal(training, outcome);
    if (outcome.step >= length.steps) dropState(project, run.id);
  } finally {
    await training.step.dispose();
    await training.predictor.dispose();
  }
}

/** A complete fine-tuning is never continued; the state to do so is four fifths of its files. */
function dropState(project: Project, runId: string): void {
  const state = project.checkpoints.get(runId, 'latest');
  if (state === undefined) return;
  project.durably(() => project.checkpoints.remove(runId, 'latest'));
  rmSync(project.path(state.file), { force: true });
}

/** A training whose length is known. */
type PlannedTraining = Training & Length;

/** Trains until the end or until asked to stop; gives the last position, or nothing when paused. */
async function train(training: PlannedTraining, from: Position): Promise<Position | undefined> {
  const { project, run, config, control, steps } = training;
  const estimateAfter = evaluationSteps(steps, training.evaluations);
  const pace = new Pace();
  let position = from;
  let savedAt = performance.now();
  let [busySeconds, waitedSeconds] = [0, 0];
  project.runMetrics.removeAfter(run.id, position.step);
  if (position.step === 0) await save(training, position);

  while (position.step < steps) {
    throwIfCancelled(control.signal);
    const request = control.requested();
    if (request === 'pause') {
      await save(training, position);
      return undefined;
    }
    if (request === 'stop') break;
    const figures = await training.trainStep(position, steps);
    if (figures === undefined) {
      position = await rollBack(training, position);
      continue;
    }
    pace.add(figures.seconds);
    busySeconds += figures.seconds;
    waitedSeconds += figures.dataSeconds;
    position = advanced(position, figures.seconds);
    tell(training, position.step, figures, { pace, waited: waitedSeconds / busySeconds });
    const isEstimateDue = estimateAfter.has(position.step);
    if (isEstimateDue) await quickEstimate(training, position.step);
    if (isEstimateDue || performance.now() - savedAt > 1000 * config.checkpointSeconds) {
      const isSaved = await save(training, position);
      if (!isSaved) position = await rollBack(training, position);
      savedAt = performance.now();
    }
    await setImmediate(); // a run blocks the thread; let messages and timers through
  }
  if (!estimateAfter.has(position.step)) {
    await quickEstimate(training, position.step);
    await save(training, position);
  }
  return position;
}

function advanced(position: Position, seconds: number): Position {
  return {
    ...position,
    step: position.step + 1,
    trainedSeconds: position.trainedSeconds + seconds,
  };
}

function tell(
  { project, run, config, control, steps }: PlannedTraining,
  step: number,
  { loss, crossEntropy, dice, learningRate }: StepFigures,
  timing: { readonly pace: Pace; readonly waited: number },
): void {
  const values = { loss, crossEntropy, dice, learningRate };
  project.runMetrics.add(run.id, step, values);
  project.runs.setProgress(run.id, step, steps);
  const remainingSeconds = timing.pace.remaining(steps - step);
  const median = timing.pace.median;
  control.report({
    phase: 'Fine-tuning',
    done: step,
    total: steps,
    unit: 'step',
    ...(remainingSeconds === undefined ? {} : { remainingSeconds }),
    ...(median === undefined ? {} : { imagesPerSecond: config.batch / median }),
    values: { ...values, waitedForData: timing.waited },
  });
}

/** Scores a fixed part of the validation images; keeps the weights when they are the best so far. */
async function quickEstimate(training: Training, step: number): Promise<void> {
  const { project, run, data, control } = training;
  const params = await networkWeights(training);
  if (data.quickIds.length === 0) return considerBest(training, { params, step, score: step });
  const { scores } = await evaluate(training.predictor, {
    params,
    imageIds: data.quickIds,
    open: data.open,
    signal: control.signal,
    onImage: (done, total) =>
      control.report({ phase: 'Quick estimate', done, total, unit: 'image' }),
  });
  const score = scores.meanIou ?? 0;
  project.runMetrics.add(run.id, step, {
    quickMeanIou: score,
    quickMeanDice: scores.meanDice ?? 0,
  });
  considerBest(training, { params, step, score });
}

/** Writes the `latest` checkpoint; false, without writing, when a weight is no number. */
async function save(training: Training, position: Position): Promise<boolean> {
  const state = await training.step.readState();
  if (!Object.values(state).every(({ data }) => isFinite(data))) return false;
  writeCheckpoint(
    training.project,
    training.run.id,
    { state, position },
    { kinds: ['latest'], config: training.config },
  );
  return true;
}

/** 0 times anything but a number is no number. */
function isFinite(data: HostData): boolean {
  let zero = 0;
  for (let i = 0; i < data.length; i++) zero += 0 * (data[i] ?? 0);
  return zero === 0;
}

/** Back to the last checkpoint, with half the learning rate and other crops. */
async function rollBack(training: Training, position: Position): Promise<Position> {
  const { project, run, control, step } = training;
  const rollbacks = position.rollbacks + 1;
  const checkpoint = readCheckpoint(project, run.id, ['latest']);
  if (rollbacks > mostRollbacks || checkpoint === undefined) {
    throw new AppError(
      'finetune.diverged',
      `The loss stopped being a number ${rollbacks} times, each time after halving the learning rate. Start again with a smaller learning rate; the best weights so far are kept.`,
    );
  }
  const rateFactor = position.rateFactor / 2;
  control.notice(
    `The loss was not a number after step ${position.step}. Training went back to step ${checkpoint.position.step} and continues with ${rateFactor} times the learning rate.`,
  );
  await step.writeState(checkpoint.state);
  project.runMetrics.removeAfter(run.id, checkpoint.position.step);
  return { ...checkpoint.position, rollbacks, rateFactor };
}

const mostRollbacks = 3;
