import * as v from 'valibot';
import { AppError } from '../../lib/errors.ts';
import { prepareResume, untilIdle, type Extension } from '../../jobs/continuation.ts';
import { activeJobOf } from '../../jobs/states.ts';
import { defineCommand } from '../command.ts';
import { findRun, withProject } from '../open-project.ts';
import { durationText, integerText } from '../options.ts';
import { runTraining } from '../run-training.ts';

const waitMs = 15_000;

const extensionSchema = v.pipe(
  v.optional(
    v.union(
      [
        v.pipe(
          integerText(1),
          v.transform((steps): Extension => ({ type: 'steps', steps })),
        ),
        v.pipe(
          durationText,
          v.transform((seconds): Extension => ({ type: 'seconds', seconds })),
        ),
      ],
      'must be a number of steps (500) or a time (30m)',
    ),
  ),
  v.metadata({ value: 'STEPS|TIME', help: 'train this much longer than planned' }),
);

export const resume = defineCommand({
  name: 'resume',
  summary: 'Continue an interrupted, paused or failed run exactly',
  details:
    'The run goes on from its last checkpoint as if it had never stopped: same settings, same\n' +
    'device, same random numbers. An extension is a learning-rate cycle of its own after the rest.',
  unknownOption:
    'Nothing else may change when a run is continued, or it would no longer equal an uninterrupted ' +
    'one. Start a new run from its weights instead.',
  arguments: [{ name: 'RUN', help: 'name or id of the run' }],
  options: { extend: extensionSchema },
  examples: ['decon resume pretrain-1', 'decon resume pretrain-1 --extend 30m'],
  run: ({ options, words: [word = ''], output }) =>
    withProject(options.project, async (project) => {
      const run = findRun(project, word);
      await untilIdle(project, () => activeJobOf(project, run.id) !== undefined, {
        timeoutMs: waitMs,
      });
      const current = findRun(project, run.id);
      const { options: jobOptions } = advised(current.name, () =>
        prepareResume(project, current, options.extend),
      );
      await runTraining(project, { runId: run.id, options: jobOptions ?? {} }, output);
    }),
});

/** Adds to a refusal which command helps. */
function advised<T>(name: string, prepare: () => T): T {
  try {
    return prepare();
  } catch (error) {
    const advice = error instanceof AppError ? advices.get(error.code)?.(name) : undefined;
    if (!(error instanceof AppError) || advice === undefined) throw error;
    throw new AppError(error.code, `${error.message} ${advice}`);
  }
}

const advices: ReadonlyMap<string, (name: string) => string> = new Map([
  ['runs.running', (name) => `"decon stop ${name} --pause" does.`],
  ['runs.finished', (name) => `"decon resume ${name} --extend 500" adds 500 steps.`],
]);
