import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createPretraining, weightsOfRun, type Weights } from '../../pretrain/create-run.ts';
import type { Project } from '../../project/project.ts';
import { defineCommand } from '../command.ts';
import { findRun, withProject } from '../open-project.ts';
import { choice, decimal, integer, text } from '../options.ts';
import { runTraining } from '../run-training.ts';
import { settingsFrom } from '../settings.ts';
import { tileFor, trainingOptions } from '../training-options.ts';

const tilePerCrop = 1.5; // as the method's defaults

export const pretrain = defineCommand({
  name: 'pretrain',
  summary: 'Learn encoder and decoder from unlabelled images',
  details:
    'Learns from the images of the parts train and unlabelled, without their labels (DeCon; with\n' +
    '--decoder none: SlotCon). Ctrl-C cancels; "decon resume" continues exactly.',
  options: {
    ...trainingOptions,
    from: text('RUN|FILE', 'begin with the weights of an earlier run or of a safetensors file'),
    decoder: choice(['none', 'fcn', 'fpn'], 'the decoder that learns with the encoder'),
    levels: choice(['single', 'multi'], 'loss at one or at four levels of an FPN'),
    alpha: decimal('weight of the encoder loss against the decoder loss, 0 to 1'),
    optimizer: choice(['lars', 'sgd', 'adamw'], 'the optimizer'),
    epochs: integer('how many times to see all images', 1),
    prototypes: integer('how many prototypes (slots)', 2),
  },
  examples: [
    'decon pretrain --time 30m',
    'decon pretrain --encoder resnet50 --decoder fcn --epochs 200',
    'decon pretrain --from resnet18.safetensors',
    'decon pretrain --steps 500 --set hidden=1024 --set ema=released',
  ],
  run: ({ options, output }) =>
    withProject(options.project, async (project) => {
      const weights = options.from === undefined ? undefined : weightsFrom(project, options.from);
      const asked = settingsFrom(
        {
          encoder: options.encoder,
          decoder: options.decoder,
          levels: options.levels,
          alpha: options.alpha,
          optimizer: options.optimizer,
          epochs: options.epochs,
          prototypes: options.prototypes,
          steps: options.steps,
          timeBudgetSeconds: options.time,
          batchSize: options.batch,
          cropPx: options.size,
          tilePx: tileFor(options, tilePerCrop),
          scale: options.scale,
          learningRate: options.learningRate,
          weightDecay: options.weightDecay,
          seed: options.seed,
        },
        options.set,
      );
      const run = createPretraining(project, asked, { name: options.name, weights });
      const jobOptions = { device: options.device ?? 'auto' };
      await runTraining(project, { runId: run.id, options: jobOptions }, output);
    }),
});

/** The file of weights to begin with, and the run that it belongs to. */
function weightsFrom(project: Project, from: string): Weights {
  return existsSync(from) ? { path: resolve(from) } : weightsOfRun(project, findRun(project, from));
}
