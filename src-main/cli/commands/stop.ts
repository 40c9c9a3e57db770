import { activeJobOfStudy, untilIdle } from '../../jobs/continuation.ts';
import { activeJobOf } from '../../jobs/states.ts';
import { AppError, defined } from '../../lib/errors.ts';
import type { JobRow } from '../../project/jobs.ts';
import type { Project } from '../../project/project.ts';
import { defineCommand } from '../command.ts';
import { findRun, findStudy, withProject } from '../open-project.ts';
import { flag } from '../options.ts';

const waitMs = 10 * 60_000;

export const stop = defineCommand({
  name: 'stop',
  summary: 'Stop a running training and keep what it has learnt',
  details:
    'A stopped run ends at its next step and leaves a model that can be used. A paused one can be\n' +
    'continued exactly with "decon resume".',
  arguments: [{ name: 'RUN', help: 'name or id of a run or study' }],
  options: { pause: flag('pause instead, to continue later') },
  examples: ['decon stop pretrain-1', 'decon stop pretrain-1 --pause'],
  run: ({ options, words: [word = ''], output }) =>
    withProject(options.project, async (project) => {
      const job = activeJob(project, word);
      const request = options.pause ? 'pause' : 'stop';
      project.jobs.ask(job.id, request);
      output.text(`Asked ${word} to ${request}; waiting for its step to end...`);
      await untilIdle(project, () => project.jobs.get(job.id)?.status === 'running', {
        timeoutMs: waitMs,
      });
      const { status } = defined(project.jobs.get(job.id), 'job');
      output.record('stopped', { run: word, state: status });
      output.text(`${word} is ${status}.`);
    }),
});

function activeJob(project: Project, word: string): JobRow {
  const study = findStudy(project, word);
  const job =
    study === undefined
      ? activeJobOf(project, findRun(project, word).id)
      : activeJobOfStudy(project, study.id);
  if (job !== undefined) return job;
  throw new AppError('runs.not-running', `${word} is not running. "decon runs" shows its state.`);
}
