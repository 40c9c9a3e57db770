import { type CompiledStep, compileStep } from '../graph/compile.ts';
import type { Device, HostTensors } from '../graph/types.ts';
import { compilePredictor, type SegmentationPredictor } from '../inference/segmentation.ts';
import { defined } from '../lib/errors.ts';
import type { RunControl } from '../lib/progress.ts';
import { Random } from '../lib/random.ts';
import type { SegmentationConfig } from '../nn/config.ts';
import { initLossScale } from '../nn/loss-scale.ts';
import { initOptimizer, optimizerScalars } from '../nn/optimizers.ts';
import { type Position, readCheckpoint, startPosition } from '../pretrain/checkpoint.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import { rateShare } from './budget.ts';
import { type FinetuneConfig, optimizerSettings } from './config.ts';
import type { FinetuneData } from './data.ts';
import { createCropSampler } from './sampler.ts';
import { startWeights, trainableNames } from './start.ts';
import { buildFinetuneStep, createBatch, fillBatch, finetuneBatchSpecs } from './step.ts';

/** What a run is trained with. */
export interface TrainingRequest {
  readonly project: Project;
  readonly run: RunRow;
  readonly config: FinetuneConfig;
  readonly device: Device;
  readonly control: RunControl;
}

/** A request with everything compiled and the length fixed. */
export interface Training extends TrainingRequest {
  readonly data: FinetuneData;
  readonly network: SegmentationConfig;
  /** Names of the network's own tensors in the training state. */
  readonly networkNames: readonly string[];
  readonly step: CompiledStep;
  readonly predictor: SegmentationPredictor;
  /** Trains one step on the crops planned for it; `undefined` when the loss is no number. */
  readonly trainStep: (position: Position, totalSteps: number) => Promise<StepFigures | undefined>;
}

/** What one step tells. */
export interface StepFigures {
  readonly loss: number;
  readonly crossEntropy: number;
  readonly dice: number;
  readonly learningRate: number;
  readonly seconds: number;
  /** Of these, seconds spent reading and cutting images. */
  readonly dataSeconds: number;
}

/**
 * Compiles the training step and the predictor, with the weights of the run's last checkpoint or, for a
 * new run, of its start.
 * @throws AppError `weights.*`, `device.unavailable`
 */
export async function openTraining(
  data: FinetuneData,
  request: TrainingRequest,
): Promise<{ readonly training: Training; readonly position: Position }> {
  const { project, run, config, device, control } = request;
  const { encoder, decoder, decoderChannels, fcnForm } = config;
  const network = { encoder, decoder, decoderChannels, fcnForm, classes: data.classCount };
  const random = new Random(config.seed).fork('weights');
  const { params, pretrained, notices } = startWeights(project, config.start, network, random);
  const trainable = trainableNames(params);
  const trained = Object.fromEntries(trainable.map((name) => [name, defined(params[name], name)]));
  const checkpoint = readCheckpoint(project, run.id, ['latest']);
  if (checkpoint === undefined) for (const notice of notices) control.notice(notice);
  control.report({ phase: 'Preparing the network', done: 0, total: 1, unit: 'step' });
  const step = await compileStep(buildFinetuneStep(config, network, { trainable, pretrained }), {
    state: checkpoint?.state ?? {
      ...params,
      ...initOptimizer(config.optimizer, trained),
      ...(config.precision === 'half' && initLossScale()),
    },
    batch: finetuneBatchSpecs(config),
    device,
    precision: config.precision,
    label: 'fine-tuning step',
    onFallback: (sentence) => control.notice(sentence),
  });
  const predictor = await compilePredictor(network, params, {
    tileSizePx: config.tilePx,
    batchSize: 1,
    device,
    onFallback: (sentence) => control.notice(sentence),
  });
  const training = {
    ...request,
    data,
    network,
    networkNames: Object.keys(params),
    step,
    predictor,
    trainStep: stepRunner(step, data, config),
  };
  return { training, position: checkpoint?.position ?? startPosition };
}

function stepRunner(
  step: CompiledStep,
  data: FinetuneData,
  config: FinetuneConfig,
): Training['trainStep'] {
  const sampler = createCropSampler(data.tiles, config);
  const batch = createBatch(config);
  const { learningRate: peak } = optimizerSettings(config);
  return async (position, totalSteps) => {
    const started = performance.now();
    fillBatch(data.tiles, sampler.crops(position.step, position.rollbacks), batch);
    const filled = performance.now();
    const learningRate = peak * position.rateFactor * rateShare(config, position.step, totalSteps);
    const outputs = await step.run({
      ...batch,
      optimizer: optimizerScalars(learningRate, position.step),
      pretrainedOptimizer: optimizerScalars(
        learningRate * config.pretrainedRateFactor,
        position.step,
      ),
    });
    const figure = (name: string): number => outputs[name]?.data[0] ?? NaN;
    if (!Number.isFinite(figure('loss'))) return undefined;
    return {
      loss: figure('loss'),
      crossEntropy: figure('crossEntropy'),
      dice: figure('dice'),
      learningRate,
      seconds: (performance.now() - started) / 1000,
      dataSeconds: (filled - started) / 1000,
    };
  };
}

/** The network's own tensors, without the optimizer's. */
export async function networkWeights({ step, networkNames }: Training): Promise<HostTensors> {
  const state = await step.readState();
  return Object.fromEntries(networkNames.map((name) => [name, defined(state[name], name)]));
}
