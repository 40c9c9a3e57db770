import { buildTileCache } from '../datasets/tile-cache-build.ts';
import type { TileCache } from '../datasets/tile-cache.ts';
import { compileStep } from '../graph/compile.ts';
import type { CompiledStep } from '../graph/compile.ts';
import { requireHalf } from '../graph/half-device.ts';
import type { Device } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import type { RunControl } from '../lib/progress.ts';
import type { Project } from '../project/project.ts';
import { BatchMaker } from './batches.ts';
import { stepsInBudget } from './calibration.ts';
import { resolvePretrainConfig } from './config.ts';
import type { PretrainConfig } from './config.ts';
import { trainingImages } from './images.ts';
import { memoryNotice } from './memory.ts';
import { readRunSettings } from './run-settings.ts';
import type { RunSettings } from './run-settings.ts';
import { startState } from './start.ts';
import { buildPretrainStep, initialState, pretrainBatchSpecs } from './step.ts';
import { Training, type TrainingObserver } from './training.ts';

/** Makes what looks at a training now and then, once its settings are known. */
export type Observe = (config: PretrainConfig) => TrainingObserver;

/**
 * Pre-trains a run from where its last checkpoint left it (or from the start) until its last step,
 * a pause or a stop; each of them leaves a checkpoint and a loadable model. Uses the images of the
 * splits train and unlabelled. A run that was killed and is started again continues exactly.
 * @throws AppError `pretrain.no-images`, `pretrain.images-missing`, `pretrain.diverged`, `config.invalid`,
 * `device.out-of-memory`, `device.no-half`, `disk.full`; CancelledError
 */
export async function runPretraining(
  project: Project,
  runId: string,
  device: Device,
  control: RunControl,
  observe?: Observe,
): Promise<void> {
  const started = performance.now();
  const settings = readRunSettings(defined(project.runs.get(runId), 'run').config);
  const { tilePx, scale, precision } =
    settings.type === 'asked' ? settings.options : settings.config;
  if (precision === 'half') await requireHalf(device);
  const tiles = await buildTileCache(
    project,
    { imageIds: trainingImages(project, runId), tileSizePx: tilePx, scale, masks: false },
    { signal: control.signal, onProgress: (progress) => control.report(progress) },
  );
  try {
    await trainOnTiles(project, runId, { tiles, device, control, started, observe });
  } finally {
    tiles.dispose();
  }
}

/** The training itself, on tiles that are already there. `started` begins the time budget. */
export async function trainOnTiles(
  project: Project,
  runId: string,
  options: {
    readonly tiles: TileCache;
    readonly device: Device;
    readonly control: RunControl;
    readonly started: number;
    readonly observe?: Observe | undefined;
  },
): Promise<void> {
  const { tiles, device, control, started } = options;
  const settings = readRunSettings(defined(project.runs.get(runId), 'run').config);
  const planned =
    settings.type === 'asked'
      ? resolvePretrainConfig(settings.options, tiles.count)
      : settings.config;
  // A run that goes on needs only names and shapes: the file it began with may be gone.
  const isBegun = project.checkpoints.get(runId, 'latest') !== undefined;
  const { state, notices } = isBegun
    ? { state: initialState(planned), notices: [] }
    : startState(planned);
  for (const notice of [...notices, memoryNotice(planned)]) control.notice(notice);
  const compiled = await compileStep(buildPretrainStep(planned), {
    state,
    batch: pretrainBatchSpecs(planned),
    device,
    precision: planned.precision,
    label: 'pretrain',
    ownsState: true,
    onFallback: (sentence) => control.notice(sentence),
  });
  let observer: TrainingObserver | undefined;
  try {
    const config = await fitted(settings, planned, { compiled, tiles, started, control });
    project.runs.setConfig(runId, config);
    observer = options.observe?.(config);
    const training = new Training({
      project,
      runId,
      config,
      compiled,
      batches: new BatchMaker(config, tiles),
      control,
      initialState: () => startState(config).state,
      observer,
    });
    await training.resume();
    await training.run();
  } finally {
    await observer?.dispose();
    await compiled.dispose();
  }
}

/** The settings with as many steps as fit into the time budget, when there is one to be fitted. */
async function fitted(
  settings: RunSettings,
  planned: PretrainConfig,
  parts: {
    readonly compiled: CompiledStep;
    readonly tiles: TileCache;
    readonly started: number;
    readonly control: RunControl;
  },
): Promise<PretrainConfig> {
  if (settings.type === 'resolved' || planned.timeBudgetSeconds === undefined) return planned;
  const { compiled, tiles, started, control } = parts;
  const batch = new BatchMaker(planned, tiles).make({ step: 0, rollbacks: 0, rateFactor: 1 });
  const budget = { seconds: planned.timeBudgetSeconds, started };
  const steps = await stepsInBudget(compiled, batch, budget);
  control.notice(`${steps} steps fit into the time given.`);
  return resolvePretrainConfig({ ...settings.options, steps }, tiles.count);
}
