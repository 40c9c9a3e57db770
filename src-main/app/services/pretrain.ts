import * as v from 'valibot';
import { calibrateOptionsSchema } from '../../jobs/job-options.ts';
import { usualSlotImages } from '../../inference/slot-record.ts';
import { AppError } from '../../lib/errors.ts';
import { createPretraining, weightsOfRun, type Weights } from '../../pretrain/create-run.ts';
import { defaultOf, optionGuide } from '../../pretrain/option-guide.ts';
import { PaceStore } from '../../pretrain/pace-store.ts';
import { drawPairs } from '../../pretrain/view-pairs.ts';
import type { Project } from '../../project/project.ts';
import { parseSettings, Planner } from '../pretrain-planner.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';
import { requireRun } from './runs.ts';

const shownSlotChoices = 200;

/** Learning from unlabelled images: plans, their predictions, the views, and the start of a run. */
export function pretrainService(workspace: Workspace) {
  const procedures = implementation.pretrain;
  const store = new PaceStore();
  const current = (): Planner => new Planner(workspace.project, store);
  return {
    overview: procedures.overview.handler(() => current().overview()),
    options: procedures.options.handler(() =>
      optionGuide.map((option) => ({ ...option, default: defaultOf(option.name) ?? null })),
    ),
    check: procedures.check.handler(({ input }) => current().check(input.settings)),
    savePlan: procedures.savePlan.handler(({ input }) => {
      const planId = current().save(input.name.trim(), input.settings);
      workspace.changes.touch('settings');
      return { planId };
    }),
    removePlan: procedures.removePlan.handler(({ input }) => {
      current().remove(input.planId);
      workspace.changes.touch('settings');
    }),
    measure: procedures.measure.handler(({ input }) => {
      const { project, queue } = workspace;
      if (queue.isHeavyOpen) {
        throw new AppError(
          'pretrain.busy',
          'Something else is being computed. Measure this machine when it is done or paused.',
        );
      }
      const configs = current().configs(input.settings);
      const options = v.parse(calibrateOptionsSchema, { configs });
      requireImages(project);
      return { jobId: queue.add({ type: 'calibrate', options }).id };
    }),
    start: procedures.start.handler(({ input }) => {
      const { project, queue, changes } = workspace;
      requireImages(project);
      const options = parseSettings(input.settings);
      const { refusal } = current().estimate(options);
      if (refusal !== '') throw new AppError('pretrain.too-large', refusal);
      const weights = weightsOf(workspace, input.start);
      const run = createPretraining(project, options, { name: input.name, weights });
      const job = queue.add({
        type: 'pretrain',
        runId: run.id,
        options: {
          device: 'auto',
          ...(input.slotImageIds === undefined ? {} : { slotImageIds: input.slotImageIds }),
        },
      });
      changes.touch('runs', 'project');
      return { runId: run.id, jobId: job.id };
    }),
    views: procedures.views.handler(({ input }) => {
      const { project } = workspace;
      requireImages(project);
      return drawPairs(project, parseSettings(input.settings), input);
    }),
    slotChoices: procedures.slotChoices.handler(() => {
      const { pretrainImages } = workspace.project;
      return {
        chosen: pretrainImages.spread(usualSlotImages).map(({ id }) => id),
        images: pretrainImages
          .spread(shownSlotChoices)
          .map(({ id, relPath }) => ({ imageId: id, name: relPath })),
      };
    }),
  };
}

function weightsOf(
  { project, places }: Workspace,
  start:
    | { readonly type: 'random' }
    | { readonly type: 'run'; readonly runId: string }
    | { readonly type: 'file'; readonly placeId: string }
    | undefined,
): Weights | undefined {
  if (start === undefined || start.type === 'random') return undefined;
  return start.type === 'run'
    ? weightsOfRun(project, requireRun(project, start.runId))
    : { path: places.pathOf(start.placeId) };
}

/** @throws AppError `pretrain.no-images` */
function requireImages(project: Project): void {
  if (project.pretrainImages.count() > 0) return;
  throw new AppError(
    'pretrain.no-images',
    'The project has no images to learn from. Add images first.',
  );
}
