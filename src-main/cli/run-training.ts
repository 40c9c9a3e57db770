import { AppError, CancelledError, defined } from '../lib/errors.ts';
import type { Project } from '../project/project.ts';
import type { JsonObject } from '../project/values.ts';
import { formatDuration } from './format.ts';
import { BugError, type Output } from './output.ts';
import { runJob } from './run-job.ts';
import { scoresText } from './scores.ts';

/** Runs the job of a run to its end and says how to go on, whatever the end was. */
export async function runTraining(
  project: Project,
  training: { readonly runId: string; readonly options: JsonObject },
  output: Output,
): Promise<void> {
  const { kind, name } = defined(project.runs.get(training.runId), 'run');
  output.record('started', { run: name, runId: training.runId, kind });
  output.text(`${name} begins.`);
  const started = performance.now();
  try {
    const outcome = await runJob(project, { type: kind, ...training }, output);
    const run = defined(project.runs.get(training.runId), 'run');
    output.record('finished', {
      run: name,
      runId: run.id,
      state: outcome.status,
      step: run.step,
      totalSteps: run.totalSteps,
      result: run.result,
    });
    const time = formatDuration((performance.now() - started) / 1000);
    output.text(
      outcome.status === 'paused'
        ? `${name} is paused at step ${run.step} after ${time}. ${howToContinue(name)}`
        : `${name} is done: ${run.step} steps, ${time}.`,
    );
    const scores = outcome.status === 'done' ? scoresText(project, run) : undefined;
    if (scores !== undefined) output.text(`\n${scores}`);
  } catch (error) {
    throw withAdvice(error, name);
  }
}

function withAdvice(error: unknown, name: string): unknown {
  const advice = howToContinue(name);
  if (error instanceof CancelledError) return new CancelledError(`${name} is cancelled. ${advice}`);
  if (error instanceof BugError) return new BugError(`${error.message} ${advice}`);
  if (error instanceof AppError) return new AppError(error.code, `${error.message} ${advice}`);
  return error;
}

function howToContinue(name: string): string {
  return `"decon resume ${name}" continues it.`;
}
