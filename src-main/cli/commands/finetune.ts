import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { FinetuneStart } from '../../finetune/config.ts';
import { createFinetuning } from '../../finetune/create-run.ts';
import type { Project } from '../../project/project.ts';
import { starts, type Start } from '../../project/values.ts';
import { defineCommand, usageError } from '../command.ts';
import { findRun, withProject } from '../open-project.ts';
import { choice, share, text } from '../options.ts';
import { runTraining } from '../run-training.ts';
import { settingsFrom } from '../settings.ts';
import { tileFor, trainingOptions } from '../training-options.ts';

const tilePerCrop = 1.6; // as the method's defaults

export const finetune = defineCommand({
  name: 'finetune',
  summary: 'Train a segmentation model on the labelled images',
  details:
    'The weights start at random, or where a pre-training run or a weights file stands (--from).\n' +
    'The model with the best quick estimate on validation images is kept and scored on whole images.',
  options: {
    ...trainingOptions,
    fraction: share('share of the training labels to use'),
    start: choice(starts, 'which weights to take over (default with --from: encoder+decoder)'),
    from: text('RUN|FILE', 'the run or the safetensors file that the weights come from'),
    decoder: choice(['none', 'fcn', 'fpn'], 'the decoder (default: that of the run)'),
    optimizer: choice(['adamw', 'sgd'], 'the optimizer'),
  },
  examples: [
    'decon finetune --fraction 10% --time 4m',
    'decon finetune --from pretrain-1 --start encoder+decoder --fraction 10%',
    'decon finetune --from resnet18.safetensors',
  ],
  run: ({ options, output }) =>
    withProject(options.project, async (project) => {
      const start = startOf(project, options.start, options.from);
      const asked = settingsFrom(
        {
          encoder: options.encoder,
          decoder: options.decoder,
          start,
          fraction: options.fraction,
          optimizer: options.optimizer,
          steps: options.steps ?? (options.time === undefined ? undefined : 'auto'),
          timeBudgetSeconds: options.time,
          batch: options.batch,
          cropPx: options.size,
          tilePx: tileFor(options, tilePerCrop),
          scale: options.scale,
          learningRate: options.learningRate,
          weightDecay: options.weightDecay,
          seed: options.seed,
        },
        options.set,
      );
      const run = createFinetuning(project, asked, options.name);
      const jobOptions = { device: options.device ?? 'auto' };
      await runTraining(project, { runId: run.id, options: jobOptions }, output);
    }),
});

function startOf(
  project: Project,
  start: Start | undefined,
  from: string | undefined,
): FinetuneStart {
  if (from === undefined) {
    if (start === undefined || start === 'random') return { type: 'random' };
    throw usageError('finetune', `--start ${start} needs --from, a run or a weights file.`);
  }
  if (start === 'random') throw usageError('finetune', '--start random takes nothing --from.');
  const isFile = start === 'file' || (start === undefined && from.endsWith('.safetensors'));
  if (!isFile) return { type: start ?? 'encoder+decoder', run: findRun(project, from).id };
  if (existsSync(from)) return { type: 'file', path: resolve(from) };
  throw usageError('finetune', `There is no weights file "${from}".`);
}
