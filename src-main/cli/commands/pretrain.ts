import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError } from '../../lib/errors.ts';
import { readRunSettings } from '../../pretrain/run-settings.ts';
import type { Project } from '../../project/project.ts';
import type { RunRow } from '../../project/runs.ts';
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
      const start = startOf(project, options.from);
      const asked = settingsFrom(
        {
          startWeights: start.path,
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
      const settings = readRunSettings(asked);
      const config = settings.type === 'asked' ? settings.options : settings.config;
      const run = project.runs.create({
        kind: 'pretrain',
        config,
        seed: config.seed,
        start: start.path === undefined ? 'random' : 'file',
        ...(start.run === undefined ? {} : { parentRunId: start.run.id }),
        ...(options.name === undefined ? {} : { name: options.name }),
      });
      const jobOptions = { device: options.device ?? 'auto' };
      await runTraining(project, { runId: run.id, options: jobOptions }, output);
    }),
});

/** The file of weights to begin with, and the run that it belongs to. */
function startOf(
  project: Project,
  from: string | undefined,
): { readonly path?: string; readonly run?: RunRow } {
  if (from === undefined) return {};
  if (existsSync(from)) return { path: resolve(from) };
  const run = findRun(project, from);
  const weights = project.checkpoints.get(run.id, 'final');
  if (weights !== undefined) return { path: project.path(weights.file), run };
  throw new AppError(
    'runs.no-model',
    `${run.name} has no finished weights yet. Let it run, or resume it with "decon resume ${run.name}".`,
  );
}
