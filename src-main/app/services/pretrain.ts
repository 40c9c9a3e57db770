import { statfsSync } from 'node:fs';
import * as v from 'valibot';
import type { Overview, Plan, Settings } from '../../contract/pretrain.ts';
import { calibrateOptionsSchema } from '../../jobs/job-options.ts';
import { AppError } from '../../lib/errors.ts';
import { settingsProblem } from '../../lib/schema-issues.ts';
import {
  PretrainOptionsSchema,
  resolvePretrainConfig,
  type PretrainOptions,
} from '../../pretrain/config.ts';
import { createPretraining, weightsOfRun, type Weights } from '../../pretrain/create-run.ts';
import { estimateTraining, roughSecondsPerStep, type Estimate } from '../../pretrain/estimate.ts';
import { defaultOf, optionGuide } from '../../pretrain/option-guide.ts';
import { PaceStore } from '../../pretrain/pace-store.ts';
import { planRules } from '../../pretrain/plan-rules.ts';
import { builtInPlans, tileCount, type ImageSizes } from '../../pretrain/plans.ts';
import { drawPairs } from '../../pretrain/view-pairs.ts';
import type { Project } from '../../project/project.ts';
import { newId } from '../../project/values.ts';
import { trainingDevice, type TrainingDevice } from '../training-device.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';
import { requireRun } from './runs.ts';

const plansKey = 'pretrain.plans';
const storedPlans = v.array(
  v.object({ id: v.string(), name: v.string(), settings: PretrainOptionsSchema }),
);
const shownSlotChoices = 200;
const usualSlotImages = 4;

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
      const isBusy = queue.shown().some(({ status, type }) => {
        const isOpen = status === 'queued' || status === 'running';
        return isOpen && ['pretrain', 'finetune', 'study', 'calibrate'].includes(type);
      });
      if (isBusy) {
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

/** What can be planned for a project on this machine at this moment. */
class Planner {
  readonly #project: Project;
  readonly #store: PaceStore;
  readonly #sizes: ImageSizes;
  readonly #device: TrainingDevice;

  constructor(project: Project, store: PaceStore) {
    this.#project = project;
    this.#store = store;
    this.#sizes = project.pretrainImages.sizes();
    this.#device = trainingDevice(store);
  }

  overview(): Overview {
    const { name, detail } = this.#device;
    const builtIn = this.#builtIn();
    const own = this.#project.settings.get(plansKey, storedPlans) ?? [];
    const plans: readonly Plan[] = [
      ...builtIn.map(({ id, options, ...texts }) => ({
        id,
        ...texts,
        isBuiltIn: true,
        ...this.#describe(options),
      })),
      ...own.map(({ id, settings, ...texts }) => ({
        id,
        ...texts,
        summary: 'Your own plan.',
        isBuiltIn: false,
        ...this.#describe(settings),
      })),
    ];
    return {
      images: this.#project.pretrainImages.count(),
      device: { name, detail },
      isMeasured: plans.every(({ estimate }) => estimate.basis === 'measured'),
      plans: [...plans],
    };
  }

  check(settings: Settings) {
    const parsed = v.safeParse(PretrainOptionsSchema, settings);
    if (!parsed.success) {
      return { type: 'invalid' as const, problem: settingsProblem(parsed.issues) };
    }
    const { rules, estimate } = this.#describe(parsed.output);
    const resolved = { ...this.#resolve(parsed.output) };
    return { type: 'valid' as const, resolved, rules, estimate };
  }

  estimate(options: PretrainOptions): Estimate {
    const pace = this.#store.get(this.#resolve(options), this.#device.id);
    return estimateTraining(options, this.#sizes, this.#machine(), pace);
  }

  /** Resolved settings of the three plans, or of the given ones alone. */
  configs(settings: Settings | undefined) {
    const all =
      settings === undefined
        ? this.#builtIn().map(({ options }) => options)
        : [parseSettings(settings)];
    return all.map((options) => this.#resolve(options));
  }

  /** @throws AppError `pretrain.plan-exists`, `config.invalid` */
  save(name: string, settings: Settings): string {
    const plans = this.#project.settings.get(plansKey, storedPlans) ?? [];
    const taken = [...this.#builtIn(), ...plans].some((plan) => plan.name === name);
    if (taken || name === '') {
      throw new AppError(
        'pretrain.plan-exists',
        name === ''
          ? 'Give the plan a name.'
          : `There is a plan "${name}" already. Choose another name; plans are never overwritten.`,
      );
    }
    const plan = { id: newId(), name, settings: parseSettings(settings) };
    this.#project.settings.set(plansKey, [...plans, plan]);
    return plan.id;
  }

  remove(planId: string): void {
    const plans = this.#project.settings.get(plansKey, storedPlans) ?? [];
    this.#project.settings.set(
      plansKey,
      plans.filter(({ id }) => id !== planId),
    );
  }

  #builtIn() {
    const { hasGpu, memoryBytes } = this.#device;
    const facts = { sizes: this.#sizes, hasGpu, memoryBytes };
    return builtInPlans(facts, (options) => {
      const config = this.#resolve(options);
      return (
        this.#store.get(config, this.#device.id)?.secondsPerStep ??
        roughSecondsPerStep(config, this.#device.gigaflops)
      );
    });
  }

  #describe(options: PretrainOptions) {
    return {
      settings: { ...options },
      rules: [...planRules(this.#resolve(options), this.#sizes)],
      estimate: this.estimate(options),
    };
  }

  #resolve(options: PretrainOptions) {
    return resolvePretrainConfig(options, tileCount(this.#sizes, options));
  }

  #machine() {
    const { bavail, bsize } = statfsSync(this.#project.dir);
    return {
      freeMemoryBytes: this.#device.memoryBytes,
      freeDiskBytes: bavail * bsize,
      gigaflops: this.#device.gigaflops,
    };
  }
}

/** @throws AppError `config.invalid` */
function parseSettings(settings: Settings): PretrainOptions {
  const parsed = v.safeParse(PretrainOptionsSchema, settings);
  if (parsed.success) return parsed.output;
  throw new AppError('config.invalid', settingsProblem(parsed.issues));
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
