import type { HostTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import { Pace } from '../lib/pace.ts';
import type { RunControl } from '../lib/progress.ts';
import type { Project } from '../project/project.ts';
import type { PretrainConfig } from './config.ts';
import { healthMetrics, judgeHealth, overallVerdict } from './health.ts';
import type { LevelHealth, Verdict } from './health.ts';
import { ratesAt, totalSteps } from './schedules.ts';

/** A verdict must hold for this many logged steps before the user hears of it. */
const steadyLogs = 3;

/** How long one step took: waiting for data, and computing. */
export interface StepTimes {
  readonly waitSeconds: number;
  readonly runSeconds: number;
}

export interface RecorderParts {
  readonly project: Project;
  readonly runId: string;
  readonly config: PretrainConfig;
  readonly control: RunControl;
  readonly stepsPerEpoch: number;
}

/** Tells the user and the project how training goes. */
export class Recorder {
  readonly #parts: RecorderParts;
  readonly #pace = new Pace();
  #waited = 0;
  #worked = 0;
  /** Without the first step, which also allocates. */
  readonly #steady = new Pace();
  #steadySeconds = 0;
  /** When the first step ended, in milliseconds; undefined before that. */
  #begun: number | undefined;
  #health: readonly LevelHealth[] = [];
  #loss = NaN;
  #told: Verdict = 'healthy';
  /** Logged steps in a row whose verdict is not the one told. */
  #streak = 0;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** Health at the last logged step. */
  get verdict(): Verdict {
    return overallVerdict(this.#health);
  }

  /** Loss, verdict and speed so far, for the result of the run. */
  summary(): Record<string, number | string> {
    return {
      loss: this.#loss,
      health: this.verdict,
      imagesPerSecond: this.#imagesPerSecond(),
      dataWaitShare: this.#waitShare(),
    };
  }

  /** Takes note of finished step `step` (0-based): progress always, metrics and health when due. */
  note(step: number, outputs: HostTensors, times: StepTimes): void {
    const total = totalSteps(this.#parts.config);
    const losses = lossesOf(outputs);
    this.#loss = losses['loss.total'] ?? NaN;
    const stepSeconds = times.waitSeconds + times.runSeconds;
    if (this.#begun === undefined) this.#begun = performance.now();
    else {
      this.#steady.add(stepSeconds);
      this.#steadySeconds += stepSeconds;
    }
    this.#waited += times.waitSeconds;
    this.#worked += times.runSeconds;
    this.#pace.add(stepSeconds);
    const isDue =
      (step + 1) % this.#parts.config.logSteps === 0 || step === 0 || step + 1 === total;
    if (isDue) this.#log(step, losses, outputs);
    const remainingSeconds = this.#remaining(total - step - 1);
    this.#parts.control.report({
      phase: 'Learning from unlabelled images',
      done: step + 1,
      total,
      unit: 'step',
      ...(remainingSeconds === undefined ? {} : { remainingSeconds }),
      imagesPerSecond: this.#imagesPerSecond(),
      memoryBytes: process.memoryUsage.rss(),
      values: { ...losses, dataWaitShare: this.#waitShare(), epoch: this.#epoch(step) },
    });
  }

  #log(step: number, losses: Readonly<Record<string, number>>, outputs: HostTensors): void {
    const rates = ratesAt(this.#parts.config, step);
    this.#health = judgeHealth(outputs, step >= this.#parts.config.warmupSteps);
    this.#parts.project.runMetrics.add(this.#parts.runId, step + 1, {
      ...losses,
      ...healthMetrics(this.#health),
      learningRate: rates.learningRate,
      teacherMomentum: rates.encoderMomentum,
      imagesPerSecond: this.#imagesPerSecond(),
      dataWaitShare: this.#waitShare(),
      memoryBytes: process.memoryUsage.rss(),
      epoch: this.#epoch(step),
    });
    this.#parts.project.runs.setProgress(
      this.#parts.runId,
      step + 1,
      totalSteps(this.#parts.config),
    );
    this.#tellVerdict();
  }

  /** Says when the verdict has become another one and stayed so for a while. */
  #tellVerdict(): void {
    const verdict = this.verdict;
    this.#streak = verdict === this.#told ? 0 : this.#streak + 1;
    if (this.#streak < steadyLogs) return;
    this.#streak = 0;
    this.#told = verdict;
    if (verdict === 'healthy') return this.#parts.control.notice('Training looks healthy again.');
    const worst = this.#health.find((level) => level.verdict === verdict);
    const { level, remedy } = defined(worst, 'level');
    const word = verdict === 'collapsed' ? 'has collapsed' : 'should be watched';
    this.#parts.control.notice(`Training ${word} (${level}): ${remedy}`);
  }

  /** How often every tile was seen when `step` is finished. */
  #epoch(step: number): number {
    return (step + 1) / this.#parts.stepsPerEpoch;
  }

  /** The seconds of the steps to come, with as much between them (checkpoints, pictures) as so far. */
  #remaining(steps: number): readonly [low: number, high: number] | undefined {
    const range = this.#steady.remaining(steps);
    if (range === undefined || this.#begun === undefined) return undefined;
    const passed = (performance.now() - this.#begun) / 1000;
    const factor = Math.max(1, passed / this.#steadySeconds);
    return [factor * range[0], factor * range[1]];
  }

  #imagesPerSecond(): number {
    const seconds = this.#pace.median;
    return seconds === undefined ? 0 : this.#parts.config.batchSize / seconds;
  }

  #waitShare(): number {
    return this.#waited / Math.max(this.#waited + this.#worked, 1e-9);
  }
}

/** The step's losses: `loss.total`, and `loss.<level>` with its parts. */
export function lossesOf(outputs: HostTensors): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(outputs)
      .filter(([name]) => name.startsWith('loss.'))
      .map(([name, { data }]) => [name, data[0] ?? NaN]),
  );
}
