import { statfsSync } from 'node:fs';
import * as v from 'valibot';
import type { Overview, Plan, Settings } from '../contract/pretrain.ts';
import { AppError } from '../lib/errors.ts';
import { settingsProblem } from '../lib/schema-issues.ts';
import {
  PretrainOptionsSchema,
  resolvePretrainConfig,
  type PretrainOptions,
} from '../pretrain/config.ts';
import { estimateTraining, roughSecondsPerStep, type Estimate } from '../pretrain/estimate.ts';
import type { PaceStore } from '../pretrain/pace-store.ts';
import { planRules } from '../pretrain/plan-rules.ts';
import { builtInPlans, tileCount, type ImageSizes } from '../pretrain/plans.ts';
import type { Project } from '../project/project.ts';
import { newId } from '../project/values.ts';
import { trainingDevice, type TrainingDevice } from './training-device.ts';

const plansKey = 'pretrain.plans';
const storedPlans = v.array(
  v.object({ id: v.string(), name: v.string(), settings: PretrainOptionsSchema }),
);
/** What can be planned for a project on this machine at this moment. */
export class Planner {
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
export function parseSettings(settings: Settings): PretrainOptions {
  const parsed = v.safeParse(PretrainOptionsSchema, settings);
  if (parsed.success) return parsed.output;
  throw new AppError('config.invalid', settingsProblem(parsed.issues));
}
