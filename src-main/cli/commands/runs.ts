import { stateInWords } from '../../jobs/states.ts';
import type { Project } from '../../project/project.ts';
import type { RunRow } from '../../project/runs.ts';
import { defineCommand } from '../command.ts';
import { formatBytes, formatFigure, formatTable } from '../format.ts';
import { findRun, withProject } from '../open-project.ts';
import { choice } from '../options.ts';
import type { Output } from '../output.ts';
import { scoresText } from '../scores.ts';

export const runs = defineCommand({
  name: 'runs',
  summary: 'List the runs of a project, or show one',
  arguments: [{ name: 'RUN', help: 'name or id of the run to show', isOptional: true }],
  options: { kind: choice(['pretrain', 'finetune'], 'only runs of this kind') },
  examples: ['decon runs', 'decon runs pretrain-1 --json'],
  run: ({ options, words: [word = ''], output }) =>
    withProject(options.project, (project) => {
      if (word === '') showAll(project, project.runs.list(options.kind), output);
      else showOne(project, findRun(project, word), output);
      return Promise.resolve();
    }),
});

function showAll(project: Project, rows: readonly RunRow[], output: Output): void {
  for (const run of rows) output.record('run', summaryOf(project, run));
  if (rows.length === 0) return output.text('There are no runs yet. Start with "decon pretrain".');
  const head = ['run', 'state', 'start', 'steps', 'began'];
  output.text(
    formatTable([
      head,
      ...rows.map((run) => [
        run.name,
        stateOf(project, run),
        startOf(project, run),
        run.totalSteps === null ? String(run.step) : `${run.step}/${run.totalSteps}`,
        run.startedAt === null ? '' : new Date(run.startedAt).toLocaleString(),
      ]),
    ]),
  );
}

function showOne(project: Project, run: RunRow, output: Output): void {
  const metrics = project.runMetrics.list(run.id);
  const checkpoints = project.checkpoints.list(run.id);
  const notices = project.runNotices.list(run.id);
  output.record('run', {
    ...summaryOf(project, run),
    config: run.config,
    device: run.device,
    result: run.result,
  });
  for (const row of metrics) output.record('metrics', { ...row });
  for (const row of checkpoints) output.record('checkpoint', { ...row });
  for (const row of notices) output.record('notice', { ...row });

  const latest = metrics.at(-1);
  const scores = scoresText(project, run);
  output.text(
    [
      `${run.name}: ${stateOf(project, run)}, from ${startOf(project, run)}, ` +
        `step ${run.step} of ${run.totalSteps ?? 'an open number'}.`,
      ...notices.map(({ message }) => `  ${message}`),
      ...(latest === undefined ? [] : ['', `At step ${latest.step}:`, ...figures(latest.values)]),
      ...(scores === undefined ? [] : ['', scores]),
      ...(checkpoints.length === 0 ? [] : ['', 'Weights on disk:']),
      ...checkpoints.map(
        ({ kind, step, file, bytes }) =>
          `  ${kind.padEnd(8)} step ${step}  ${formatBytes(bytes)}  ${file}`,
      ),
      '',
      'Settings:',
      ...Object.entries(run.config).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`),
    ].join('\n'),
  );
}

function summaryOf(project: Project, run: RunRow): Readonly<Record<string, unknown>> {
  const { id, kind, name, seed, start, step, totalSteps, createdAt, startedAt, finishedAt } = run;
  const job = project.jobs.list({ runId: run.id }).at(-1);
  return {
    id,
    kind,
    name,
    state: stateOf(project, run),
    seed,
    start,
    parentRunId: run.parentRunId,
    step,
    totalSteps,
    createdAt,
    startedAt,
    finishedAt,
    pid: job?.status === 'running' ? job.pid : null,
    error: job?.error ?? null,
  };
}

function stateOf(project: Project, run: RunRow): string {
  const job = project.jobs.list({ runId: run.id, status: 'running' }).at(-1);
  return job === undefined ? run.status : stateInWords(job);
}

function startOf(project: Project, run: RunRow): string {
  const parent = run.parentRunId === null ? undefined : project.runs.get(run.parentRunId);
  return parent === undefined ? run.start : `${run.start} of ${parent.name}`;
}

function figures(values: Readonly<Record<string, number>>): string[] {
  return Object.entries(values).map(([name, value]) => `  ${name}: ${formatFigure(value)}`);
}
