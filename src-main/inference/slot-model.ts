import { AppError } from '../lib/errors.ts';
import { readCheckpoint } from '../pretrain/checkpoint.ts';
import { readRunSettings } from '../pretrain/run-settings.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import type { SlotModel } from './slots.ts';

/**
 * The pre-trained network of a run with everything that forms slots, from its last whole checkpoint.
 * @throws AppError `runs.no-model` when there is none
 */
export function readSlotModel(project: Project, run: RunRow): SlotModel {
  const checkpoint =
    run.kind === 'pretrain' ? readCheckpoint(project, run.id, ['latest', 'healthy']) : undefined;
  const settings = checkpoint === undefined ? undefined : readRunSettings(run.config);
  if (checkpoint === undefined || settings?.type !== 'resolved') {
    throw new AppError(
      'runs.no-model',
      `${run.name} has no slots. Choose a pre-training run that has been trained for a while.`,
    );
  }
  const { config } = settings;
  return { config, state: checkpoint.state, scale: config.scale };
}
