import { AppError } from '../lib/errors.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import type { JsonObject } from '../project/values.ts';
import { readRunSettings } from './run-settings.ts';

/** Where weights come from: a file, and the run that wrote it where that is known. */
export interface Weights {
  readonly path: string;
  readonly run?: RunRow;
}

/**
 * Adds a pre-training with the settings asked for, for a job to run.
 * @throws AppError `config.invalid`, `runs.exists`, `runs.bad-name`
 */
export function createPretraining(
  project: Project,
  settings: JsonObject,
  options: { readonly name?: string | undefined; readonly weights?: Weights | undefined } = {},
): RunRow {
  const { name, weights } = options;
  const start = weights === undefined ? {} : { startWeights: weights.path };
  const asked = readRunSettings({ ...settings, ...start });
  const config = asked.type === 'asked' ? asked.options : asked.config;
  return project.runs.create({
    kind: 'pretrain',
    config,
    seed: config.seed,
    start: weights === undefined ? 'random' : 'file',
    ...(weights?.run === undefined ? {} : { parentRunId: weights.run.id }),
    ...(name === undefined ? {} : { name }),
  });
}

/**
 * The weights that a run ended, paused or stopped with.
 * @throws AppError `runs.no-model`
 */
export function weightsOfRun(project: Project, run: RunRow): Weights {
  const weights = project.checkpoints.get(run.id, 'final');
  if (weights !== undefined) return { path: project.path(weights.file), run };
  throw new AppError(
    'runs.no-model',
    `${run.name} has no finished weights. Let it run, continue it, or choose another run.`,
  );
}
