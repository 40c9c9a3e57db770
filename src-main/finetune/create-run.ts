import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import type { JsonObject } from '../project/values.ts';
import { type FinetuneConfig, parseFinetuneConfig, startSchema } from './config.ts';

const startOnly = v.object({ start: v.optional(startSchema, { type: 'random' }) });

/**
 * The settings of a fine-tuning with every default. Started from a run, it has that run's network,
 * so that its weights fit.
 * @throws AppError `config.invalid`, `runs.missing`
 */
export function resolveFinetuneSettings(project: Project, asked: JsonObject): FinetuneConfig {
  const start = v.safeParse(startOnly, asked);
  const runId = start.success && 'run' in start.output.start ? start.output.start.run : undefined;
  if (runId === undefined) return parseFinetuneConfig(asked);
  const parent = project.runs.get(runId);
  if (parent === undefined) {
    throw new AppError('runs.missing', 'The run to start from is no longer in this project.');
  }
  return parseFinetuneConfig(asked, parent.config);
}

/**
 * Adds a queued fine-tuning with these settings, as a command, a study or the window asks for it.
 * @throws AppError as `resolveFinetuneSettings`, and `runs.exists`, `runs.bad-name`
 */
export function createFinetuning(project: Project, asked: JsonObject, name?: string): RunRow {
  const config = resolveFinetuneSettings(project, asked);
  const { start, seed } = config;
  return project.runs.create({
    kind: 'finetune',
    config,
    seed,
    start: start.type,
    parentRunId: 'run' in start ? start.run : null,
    ...(name === undefined ? {} : { name }),
  });
}
