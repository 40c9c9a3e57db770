import { setImmediate } from 'node:timers/promises';
import type { CompiledStep } from '../graph/compile.ts';
import type { HostTensors } from '../graph/types.ts';
import { AppError, messageOf, throwIfCancelled } from '../lib/errors.ts';
import type { RunControl } from '../lib/progress.ts';
import type { Project } from '../project/project.ts';
import type { BatchMaker } from './batches.ts';
import { readCheckpoint, startPosition, writeCheckpoint } from './checkpoint.ts';
import type { Checkpoint, Position } from './checkpoint.ts';
import type { PretrainConfig } from './config.ts';
import { writeTeacher } from './model-file.ts';
import { lossesOf, Recorder } from './recorder.ts';
import { totalSteps } from './schedules.ts';

/** Training goes back this many times before it gives up. */
const maxRollbacks = 3;

/** Looks at the weights now and then, e.g. to draw them; it changes nothing about the training. */
export interface TrainingObserver {
  /** Whether it wants to look after `step` finished steps that took `stepSeconds` each so far. */
  isDue(step: number, stepSeconds: number): boolean;
  /** Looks at a copy of the whole state. What goes wrong here must not end a training. */
  look(step: number, state: HostTensors): Promise<void>;
  dispose(): Promise<void>;
}

export interface TrainingParts {
  readonly project: Project;
  readonly runId: string;
  readonly config: PretrainConfig;
  readonly compiled: CompiledStep;
  readonly batches: BatchMaker;
  readonly control: RunControl;
  /** The state before the first step; made anew when it is needed. */
  readonly initialState: () => HostTensors;
  readonly observer?: TrainingObserver | undefined;
}

/** One run's way from where it stands to its last step, with its checkpoints. */
export class Training {
  readonly #parts: TrainingParts;
  readonly #recorder: Recorder;
  #position: Position = startPosition;

  constructor(parts: TrainingParts) {
    this.#parts = parts;
    const { stepsPerEpoch } = parts.batches;
    this.#recorder = new Recorder({ ...parts, stepsPerEpoch });
  }

  /** Takes up the last checkpoint that is intact, if there is one. */
  async resume(): Promise<void> {
    const { project, runId, control, config } = this.#parts;
    const checkpoint = readCheckpoint(project, runId, ['latest', 'healthy']);
    if (checkpoint !== undefined) {
      await this.#goTo(checkpoint);
      control.notice(`Continuing after step ${checkpoint.position.step}.`);
    }
    project.runMetrics.removeAfter(runId, this.#position.step);
    project.runs.setProgress(runId, this.#position.step, totalSteps(config));
  }

  /** Trains until the last step, a pause or a stop, then writes checkpoint and model. */
  async run(): Promise<void> {
    do {
      await this.#train();
    } while (!(await this.#save()));
    await this.#finish();
  }

  async #train(): Promise<void> {
    const { config, control } = this.#parts;
    const total = totalSteps(config);
    let savedAt = performance.now();
    await this.#show();
    while (this.#position.step < total) {
      throwIfCancelled(control.signal);
      if (control.requested() !== 'none') return;
      await this.#step();
      if (performance.now() - savedAt >= config.checkpointSeconds * 1000) {
        await this.#saveIfPossible();
        savedAt = performance.now();
      }
      await this.#show();
      await setImmediate(); // lets messages from the parent process in
    }
  }

  async #step(): Promise<void> {
    const { batches, compiled } = this.#parts;
    const { step } = this.#position;
    const begun = performance.now();
    const batch = batches.make(this.#position);
    const ready = performance.now();
    const outputs = await compiled.run(batch).catch((error: unknown) => {
      throw explained(error);
    });
    const done = performance.now();
    if (!Object.values(lossesOf(outputs)).every(Number.isFinite)) return this.#rollBack();
    this.#position = {
      ...this.#position,
      step: step + 1,
      trainedSeconds: this.#position.trainedSeconds + (done - begun) / 1000,
    };
    this.#recorder.note(step, outputs, {
      waitSeconds: (ready - begun) / 1000,
      runSeconds: (done - ready) / 1000,
    });
  }

  /** Lets the observer look; its failures are told and forgotten. */
  async #show(): Promise<void> {
    const { observer, compiled, control } = this.#parts;
    const { step, trainedSeconds } = this.#position;
    if (observer?.isDue(step, trainedSeconds / Math.max(step, 1)) !== true) return;
    try {
      await observer.look(step, await compiled.readState());
    } catch (error) {
      throwIfCancelled(control.signal);
      control.notice(`No picture at step ${step}: ${messageOf(error)} Training goes on.`);
    }
  }

  /** A disk that is full for a while must not end a training; the last checkpoint stays. */
  async #saveIfPossible(): Promise<void> {
    try {
      await this.#save();
    } catch (error) {
      if (!(error instanceof AppError) || !error.code.startsWith('disk.')) throw error;
      this.#parts.control.notice(
        `No checkpoint at step ${this.#position.step}: ${error.message} Training goes on.`,
      );
    }
  }

  /** Writes a checkpoint; false when the state is broken and training had to go back instead. */
  async #save(): Promise<boolean> {
    const { project, runId, compiled, config } = this.#parts;
    const state = await compiled.readState();
    if (!isFinite(state)) {
      await this.#rollBack();
      return false;
    }
    const isHealthy = this.#recorder.verdict !== 'collapsed';
    writeCheckpoint(
      project,
      runId,
      { state, position: this.#position },
      {
        kinds: isHealthy ? ['latest', 'healthy'] : ['latest'],
        config,
      },
    );
    project.runs.setProgress(runId, this.#position.step, totalSteps(config));
    return true;
  }

  /** Back to the last healthy checkpoint, or to the start, with half the learning rate. */
  async #rollBack(): Promise<void> {
    const { project, runId, control, config, initialState } = this.#parts;
    const { step, rollbacks, rateFactor } = this.#position;
    if (rollbacks >= maxRollbacks) throw divergence(step);
    const healthy = readCheckpoint(project, runId, ['healthy']);
    const target = healthy ?? { state: initialState(), position: startPosition };
    const position = { ...target.position, rollbacks: rollbacks + 1, rateFactor: rateFactor / 2 };
    await this.#goTo({ state: target.state, position });
    project.runMetrics.removeAfter(runId, position.step);
    writeCheckpoint(
      project,
      runId,
      { state: target.state, position },
      {
        kinds: ['latest', 'healthy'],
        config,
      },
    );
    control.notice(
      `The loss was no longer a number at step ${step + 1}. Training went back to step ` +
        `${position.step} and continues with half the learning rate ` +
        `(attempt ${position.rollbacks} of ${maxRollbacks}).`,
    );
  }

  async #goTo({ state, position }: Checkpoint): Promise<void> {
    await this.#parts.compiled.writeState(state);
    this.#position = position;
  }

  async #finish(): Promise<void> {
    const { project, runId, compiled, config } = this.#parts;
    const { step, trainedSeconds } = this.#position;
    const model = writeTeacher(project, runId, { state: await compiled.readState(), step, config });
    project.runs.setResult(runId, {
      step,
      totalSteps: totalSteps(config),
      trainedSeconds,
      model: model.file,
      ...this.#recorder.summary(),
    });
  }
}

function isFinite(state: HostTensors): boolean {
  return Object.values(state).every(({ data }) => {
    for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
    return true;
  });
}

function divergence(step: number): AppError {
  return new AppError(
    'pretrain.diverged',
    `Training did not stay stable: the loss was no longer a number at step ${step + 1}, even with an ` +
      'eighth of the learning rate. Start a new run with a smaller learning rate or a larger batch.',
  );
}

/** Memory failures of the executor as a sentence; anything else stays what it is. */
function explained(error: unknown): unknown {
  if (!/allocat|out of memory|bad_alloc/i.test(messageOf(error))) return error;
  return new AppError(
    'device.out-of-memory',
    'The device has not enough memory for this training. Choose a smaller batch or smaller crops, ' +
      'and continue with a new run.',
    { cause: error },
  );
}
