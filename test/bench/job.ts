import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { formatTable } from '../../src-main/cli/format.ts';
import { startJob, type JobEvent } from '../../src-main/jobs/runner.ts';
import { createPretraining } from '../../src-main/pretrain/create-run.ts';
import type { NewJob } from '../../src-main/project/jobs.ts';
import { createProject, openProject, type Project } from '../../src-main/project/project.ts';
import { CASES } from './cases.ts';
import { median, rounded } from './figures.ts';
import type { MeasureOptions } from './measure.ts';
import { openOurs } from './ours.ts';

/** Where the images of the job are: a project that has them, or a folder to import. */
export type JobImages =
  | { readonly type: 'project'; readonly dir: string }
  | { readonly type: 'folder'; readonly dir: string };

export interface JobFigures {
  readonly case: 'G';
  readonly title: string;
  readonly steps: number;
  /** Of a step of the job, once it trains: the end of the job is part of it. */
  readonly jobStepMs: number;
  readonly bareStepMs: number;
  readonly ratio: number;
  /** From the start of the job until its first step, with decoding and compiling. */
  readonly setupSeconds: number;
  readonly jobSeconds: number;
  readonly peakMib: number;
  readonly barePeakMib: number;
}

/** Steps at the beginning that are not timed. */
const skippedSteps = 2;

/**
 * Runs a pre-training of case A as a job on images, in its own process as in the app, and measures
 * the bare step before and after it.
 */
export async function measureJob(
  images: JobImages,
  jobSteps: number,
  options: MeasureOptions,
): Promise<JobFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'decon-bench-job-'));
  process.env['DECON_LOG_DIR'] = folder; // of the job's process
  try {
    const before = await bareSteps(options);
    const project =
      images.type === 'project'
        ? openProject(resolve(images.dir))
        : await imported(join(folder, 'Bench.decon'), resolve(images.dir));
    const job = await timedJob(project, jobSteps, options);
    project.dispose();
    const after = await bareSteps(options);
    const bareStepMs = median([...before.ms, ...after.ms]);
    return {
      case: 'G',
      title: `a whole job of ${jobSteps} steps beside the bare step of case A`,
      steps: jobSteps,
      ...job,
      bareStepMs: rounded(bareStepMs),
      ratio: rounded(job.jobStepMs / bareStepMs, 3),
      barePeakMib: Math.round(Math.max(before.peakMib, after.peakMib)),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The job's figures as text. */
export function jobText(figures: JobFigures): string {
  const { jobStepMs, bareStepMs, peakMib, barePeakMib } = figures;
  return [
    `G: ${figures.title}`,
    formatTable([
      ['', 'step ms', 'peak MiB'],
      ['job', String(jobStepMs), String(peakMib)],
      ['bare step', String(bareStepMs), String(barePeakMib)],
    ]),
    `job / bare step: ${figures.ratio}`,
    `${figures.setupSeconds} s until the first step, ${figures.jobSeconds} s in all`,
  ].join('\n');
}

async function bareSteps(options: MeasureOptions) {
  const { device, threads, rounds } = options;
  const { name, warmup, steps } = CASES.A;
  const ours = await openOurs({
    ...{ name, device, precision: 'single' },
    ...(threads === undefined ? {} : { threads }),
  });
  const ms: number[] = [];
  for (let i = 0; i < Math.ceil(rounds / 2); i++) {
    ms.push(...(await ours.run({ warmup: i === 0 ? warmup : 0, steps: options.steps ?? steps })));
  }
  options.onRound(`G: bare step ${rounded(median(ms))} ms`);
  const { peakMib } = await ours.end();
  return { ms, peakMib };
}

async function imported(dir: string, imagesPath: string): Promise<Project> {
  const project = createProject(dir, 'Bench');
  await runJob(project, { type: 'import', options: { imagesPath } });
  return project;
}

async function timedJob(project: Project, steps: number, options: MeasureOptions) {
  const { encoder, decoder, batch: batchSize, sizePx: cropPx, heads } = CASES.A;
  const run = createPretraining(project, {
    ...{ encoder, decoder, levels: 'multi', optimizer: 'lars', batchSize, cropPx, ...heads },
    steps,
  });
  const started = performance.now();
  let firstStep: number | undefined;
  let timed: { readonly done: number; readonly at: number } | undefined;
  let peakBytes = 0;
  const job: NewJob = { type: 'pretrain', runId: run.id, options: { device: options.device } };
  await runJob(project, job, (event) => {
    if (event.type !== 'progress') return;
    const { unit, done, memoryBytes = 0 } = event.progress;
    peakBytes = Math.max(peakBytes, memoryBytes);
    if (unit !== 'step') return;
    if (done >= 1) firstStep ??= performance.now();
    if (done >= skippedSteps) timed ??= { done, at: performance.now() };
    options.onRound(`G: step ${done} of ${steps}`);
  });
  const ended = performance.now();
  if (timed === undefined || firstStep === undefined || timed.done >= steps) {
    throw new Error('The job has too few steps to be timed. Give it more with --job-steps.');
  }
  return {
    jobStepMs: rounded((ended - timed.at) / (steps - timed.done)),
    setupSeconds: rounded((firstStep - started) / 1000),
    jobSeconds: rounded((ended - started) / 1000),
    peakMib: Math.round(peakBytes / 2 ** 20),
  };
}

async function runJob(
  project: Project,
  newJob: NewJob,
  onEvent: (event: JobEvent) => void = () => undefined,
): Promise<void> {
  const { id } = project.jobs.create(newJob);
  const { status, error } = await startJob(project, id, { onEvent }).outcome;
  if (status !== 'done') throw new Error(`The job was not done: ${error?.message ?? status}`);
}
