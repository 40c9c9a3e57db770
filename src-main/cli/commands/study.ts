import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { openStudy, studyPage, studyStarts } from '../../finetune/study.ts';
import { defined } from '../../lib/errors.ts';
import { defineCommand } from '../command.ts';
import { findRun, withProject } from '../open-project.ts';
import { choice, choices, duration, integer, integers, shares, text, texts } from '../options.ts';
import { runJob } from '../run-job.ts';
import { settingsFrom } from '../settings.ts';

export const study = defineCommand({
  name: 'study',
  summary: 'Say whether a pre-training helps, with fine-tunings from several starts',
  details:
    'Trains every combination of share of the labels, start and seed, one after the other, and can\n' +
    'be interrupted at any time: the same command without settings continues. The table has means\n' +
    'with 95 % intervals; a sentence for each share says helped, no clear difference, or hurt.',
  arguments: [
    {
      name: 'RUN',
      help: 'the pre-training run that is judged; not needed when no start takes weights from one',
      isOptional: true,
    },
  ],
  options: {
    name: text('NAME', 'what to call the study (default: study- and the name of the run)'),
    fractions: shares('shares of the training labels (default: 5%,10%,25%,100%)'),
    starts: choices(studyStarts, 'which weights to take over (default: all but file)'),
    weights: text('FILE', 'the safetensors file that the start "file" takes over'),
    seeds: integers('one repetition for each seed (default: 0,1,2)'),
    metric: choice(['meanIou', 'meanDice'], 'the score that the verdict is about'),
    time: duration('how long each fine-tuning may take, measured on the first one'),
    steps: integer('how many steps each fine-tuning takes', 1),
    set: texts(
      'NAME=VALUE',
      'a setting of the fine-tunings by its name; may be given several times',
    ),
    device: text('NAME', 'cpu, webgpu, cuda... (default: auto, the fastest that works)'),
  },
  examples: [
    'decon study pretrain-1 --fractions 5%,10% --seeds 0,1,2 --time 4m',
    'decon study pretrain-1',
  ],
  run: ({ options, words: [word = ''], output }) =>
    withProject(options.project, async (project) => {
      const run = word === '' ? undefined : findRun(project, word);
      const finetune = settingsFrom(
        {
          steps: options.steps ?? (options.time === undefined ? undefined : 'auto'),
          timeBudgetSeconds: options.time,
        },
        options.set,
      );
      const { fractions, starts, seeds, metric, weights } = options;
      const weightsFile = weights === undefined ? undefined : resolve(weights);
      const isAsked = Object.keys(finetune).length > 0;
      const shared = isAsked ? finetune : undefined;
      const asked = { fractions, starts, seeds, metric, weightsFile, finetune: shared };
      const { id, name } = openStudy(
        project,
        options.name ?? `study-${run?.name ?? 'random'}`,
        settingsFrom({ pretrainRun: run?.id, ...asked }, []),
      );
      const cells = project.studies.cells(id);
      const done = cells.filter(({ status }) => status === 'done').length;
      output.record('started', { study: name, studyId: id, cells: cells.length, done });
      output.text(`${name}: ${cells.length} fine-tunings, ${done} of them done.`);
      const jobOptions = { device: options.device ?? 'auto' };
      const outcome = await runJob(
        project,
        { type: 'study', studyId: id, options: jobOptions },
        output,
      );
      const { result } = defined(project.studies.get(id), 'study');
      output.record('finished', { study: name, studyId: id, state: outcome.status, result });
      const page = studyPage(project, name);
      if (existsSync(page)) output.text(`\n${readFileSync(page, 'utf8')}\nAlso in ${page}`);
    }),
});
