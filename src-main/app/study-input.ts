import type { ShareInput, StudyInput, TrainingInput } from '../contract/studies.ts';
import { fractionOfImages, labelledTrainingItems } from '../datasets/fractions.ts';
import { AppError } from '../lib/errors.ts';
import type { JsonObject } from '../project/values.ts';
import type { Workspace } from './workspace.ts';

/** A comparison as the engine takes it. */
export function studySettings(workspace: Workspace, input: StudyInput): JsonObject {
  const { shares, starts, seeds, metric } = input;
  const total = labelledTrainingItems(workspace.project).length;
  const fractions = new Set(shares.map((share) => fractionOf(share, total)));
  const needsRun = starts.some((start) => start === 'encoder' || start === 'encoder+decoder');
  const isFromFile = starts.includes('file') && input.weightsPlaceId !== undefined;
  return {
    ...(needsRun && input.pretrainRunId !== undefined ? { pretrainRun: input.pretrainRunId } : {}),
    ...(isFromFile ? { weightsFile: weightsPath(workspace, input) } : {}),
    fractions: [...fractions].sort((a, b) => a - b),
    starts: [...new Set(starts)],
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    metric,
    finetune: sharedSettings(input),
  };
}

/** A single training as the engine takes it. */
export function trainingSettings(workspace: Workspace, input: TrainingInput): JsonObject {
  const total = labelledTrainingItems(workspace.project).length;
  return {
    ...sharedSettings(input),
    start: startOf(workspace, input),
    fraction: fractionOf(input.share, total),
  };
}

function startOf(workspace: Workspace, input: TrainingInput): JsonObject {
  switch (input.start) {
    case 'random':
      return { type: 'random' };
    case 'file':
      return { type: 'file', path: weightsPath(workspace, input) };
    case 'encoder':
    case 'encoder+decoder':
      if (input.pretrainRunId !== undefined) return { type: input.start, run: input.pretrainRunId };
      throw new AppError('config.invalid', 'Choose the pre-training whose weights shall be used.');
  }
}

/** @throws AppError `config.invalid`, `places.unknown` */
function weightsPath(
  workspace: Workspace,
  { weightsPlaceId }: Pick<TrainingInput, 'weightsPlaceId'>,
): string {
  if (weightsPlaceId !== undefined) return workspace.places.pathOf(weightsPlaceId);
  throw new AppError('config.invalid', 'Choose the weights file to start from.');
}

function sharedSettings({ length, advanced = {} }: Pick<TrainingInput, 'length' | 'advanced'>) {
  const { quarterTurns, ...named } = advanced;
  const lengths = {
    auto: {},
    time: {
      steps: 'auto',
      ...(length.type === 'time' ? { timeBudgetSeconds: length.seconds } : {}),
    },
    steps: length.type === 'steps' ? { steps: length.steps } : {},
  };
  return {
    ...named,
    // Predictions are made on tiles of this size; crops are cut from them.
    ...(named.cropPx === undefined ? {} : { tilePx: 32 * Math.ceil((named.cropPx * 1.6) / 32) }),
    ...(quarterTurns === undefined ? {} : { augmentation: { quarterTurns } }),
    ...lengths[length.type],
  };
}

function fractionOf(share: ShareInput, total: number): number {
  return share.type === 'share' ? share.share : fractionOfImages(share.images, total);
}
