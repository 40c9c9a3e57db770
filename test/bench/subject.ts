import * as v from 'valibot';
import {
  compileStep,
  inPrecision,
  stepGraph,
  type BatchData,
} from '../../src-main/graph/compile.ts';
import { convolutionBlock as convolutionBlockOf } from '../../src-main/graph/convolution-block.ts';
import { deviceNamed } from '../../src-main/graph/devices.ts';
import { DEVICE_NAMES } from '../../src-main/graph/device-report.ts';
import type { Graph } from '../../src-main/graph/ir.ts';
import { writeOnnx } from '../../src-main/graph/onnx-writer.ts';
import { openSession, sessionTensor } from '../../src-main/graph/session.ts';
import { specsOf, traceFunction } from '../../src-main/graph/trace.ts';
import type { Device, HostTensors, StepFunction, TensorSpec } from '../../src-main/graph/types.ts';
import { finetuneConfigSchema } from '../../src-main/finetune/config.ts';
import { createCropSampler } from '../../src-main/finetune/sampler.ts';
import { trainableNames } from '../../src-main/finetune/start.ts';
import {
  buildFinetuneStep,
  createBatch,
  fillBatch,
  finetuneBatchSpecs,
} from '../../src-main/finetune/step.ts';
import { imageInput, segmentationFunction } from '../../src-main/inference/segmentation.ts';
import { defined } from '../../src-main/lib/errors.ts';
import { Random } from '../../src-main/lib/random.ts';
import { SegmentationConfigSchema } from '../../src-main/nn/config.ts';
import { initLossScale } from '../../src-main/nn/loss-scale.ts';
import { initOptimizer, optimizerScalars } from '../../src-main/nn/optimizers.ts';
import { segmentationParams } from '../../src-main/nn/segmentation.ts';
import { BatchMaker } from '../../src-main/pretrain/batches.ts';
import { PretrainOptionsSchema, resolvePretrainConfig } from '../../src-main/pretrain/config.ts';
import {
  buildPretrainStep,
  initialState,
  pretrainBatchSpecs,
} from '../../src-main/pretrain/step.ts';
import { CASES, CaseNameSchema, CLASS_COUNT, type BenchCase } from './cases.ts';
import { randomTiles } from './random-tiles.ts';

/** What a measuring process is told to compile. */
export const SubjectSchema = v.strictObject({
  name: CaseNameSchema,
  device: v.picklist(DEVICE_NAMES),
  /** Threads of the CPU provider; all cores when absent. */
  threads: v.exactOptional(v.number()),
  /** Of the products; `half` needs a device with 16-bit arithmetic. */
  precision: v.picklist(['single', 'half']),
  /** Writes an onnxruntime profile to a file that begins so. */
  profilePrefix: v.exactOptional(v.string()),
});
export type SubjectOptions = v.InferOutput<typeof SubjectSchema>;

/** A compiled case. */
export interface Subject {
  readonly info: { readonly nodes: number; readonly traceMs: number; readonly compileMs: number };
  /** Runs step `index`; the batches repeat. */
  run(index: number): Promise<void>;
  /** The graph that was compiled, traced once more. */
  graph(): Graph;
  dispose(): Promise<void>;
}

/** Batches that are cycled through, as in the PyTorch program. */
const distinctBatches = 4;

/** Compiles a case. @throws AppError `device.unavailable` */
export function openSubject(options: SubjectOptions): Promise<Subject> {
  const bench = CASES[options.name];
  switch (bench.kind) {
    case 'pretrain':
      return openPretraining(bench, options);
    case 'finetune':
      return openFinetuning(bench, options);
    case 'infer':
      return openPrediction(bench, options);
  }
}

function openPretraining(bench: BenchCase, options: SubjectOptions): Promise<Subject> {
  const { encoder, decoder, batch: batchSize, sizePx: cropPx, heads } = bench;
  const config = resolvePretrainConfig(
    v.parse(PretrainOptionsSchema, {
      ...{ encoder, decoder, levels: 'multi', optimizer: 'lars', batchSize, cropPx, ...heads },
      ...{ precision: options.precision, steps: 1000 },
    }),
    distinctBatches * batchSize,
  );
  const tiles = randomTiles({ count: distinctBatches * batchSize, tilePx: config.tilePx });
  const maker = new BatchMaker(config, tiles);
  return openStep(options, {
    step: buildPretrainStep(config),
    state: initialState(config),
    specs: pretrainBatchSpecs(config),
    // The maker fills the same arrays again.
    batch: (step) => structuredClone(maker.make({ step, rollbacks: 0, rateFactor: 1 })),
  });
}

/** Cross-entropy alone and the pre-training's decoder width, as the PyTorch program has them. */
function openFinetuning(bench: BenchCase, options: SubjectOptions): Promise<Subject> {
  const { encoder, decoder, batch, sizePx } = bench;
  const config = v.parse(finetuneConfigSchema, {
    ...{ encoder, decoder, decoderChannels: 256, batch, cropPx: sizePx, tilePx: sizePx },
    ...{ optimizer: 'sgd', diceWeight: 0, precision: options.precision },
  });
  const network = networkOf(bench);
  const params = segmentationParams(network, new Random(1));
  const trainable = trainableNames(params);
  const trained = Object.fromEntries(trainable.map((name) => [name, defined(params[name], name)]));
  const tiles = randomTiles({
    count: distinctBatches * batch,
    tilePx: sizePx,
    classCount: CLASS_COUNT,
  });
  const sampler = createCropSampler(tiles, config);
  return openStep(options, {
    step: buildFinetuneStep(config, network, { trainable, pretrained: new Set() }),
    state: {
      ...params,
      ...initOptimizer(config.optimizer, trained),
      ...(config.precision === 'half' && initLossScale()),
    },
    specs: finetuneBatchSpecs(config),
    batch: (step) => {
      const filled = createBatch(config);
      fillBatch(tiles, sampler.crops(step), filled);
      const scalars = optimizerScalars(1e-3, step);
      return { ...filled, optimizer: scalars, pretrainedOptimizer: scalars };
    },
  });
}

interface StepParts {
  readonly step: StepFunction;
  readonly state: HostTensors;
  readonly specs: Readonly<Record<string, TensorSpec>>;
  readonly batch: (step: number) => BatchData;
}

async function openStep(
  options: SubjectOptions,
  { step, state, specs, batch }: StepParts,
): Promise<Subject> {
  const { profilePrefix, precision } = options;
  const device = deviceOf(options);
  const compiled = await compileStep(step, {
    ...{ state, batch: specs, device, precision, label: 'bench', ownsState: true },
    ...(profilePrefix === undefined ? {} : { profilePrefix }),
  });
  const batches = Array.from({ length: distinctBatches }, (_, i) => batch(i));
  const stateSpecs = specsOf(state); // its numbers are gone with the first step
  const convolutionBlock = await convolutionBlockOf(device);
  return {
    info: compiled.info,
    run: async (index) => {
      await compiled.run(defined(batches[index % distinctBatches], 'batch'));
    },
    graph: () =>
      stepGraph(step, { state: stateSpecs, batch: specs, device, precision, convolutionBlock }),
    dispose: () => compiled.dispose(),
  };
}

/** As a model file predicts: the weights are inside, so that onnxruntime can fold them. */
async function openPrediction(bench: BenchCase, options: SubjectOptions): Promise<Subject> {
  const { profilePrefix, precision } = options;
  const device = deviceOf(options);
  const network = networkOf(bench);
  const params = segmentationParams(network, new Random(1));
  const spec: TensorSpec = {
    shape: [bench.batch, bench.sizePx, bench.sizePx, 3],
    dtype: 'uint8',
  };
  const graph = (): Graph => {
    const single = traceFunction(
      segmentationFunction(network),
      params,
      { [imageInput]: spec },
      { names: { input: (name) => name, output: (name) => name } },
    );
    return inPrecision(single, precision, device.provider);
  };
  const started = performance.now();
  const traced = graph();
  const traceMs = performance.now() - started;
  const session = await openSession(
    writeOnnx(traced, 'bench'),
    device,
    profilePrefix === undefined ? {} : { profilePrefix },
  );
  const compileMs = performance.now() - started - traceMs;
  const image = new Uint8Array(bench.batch * bench.sizePx ** 2 * 3);
  randomTiles({ count: bench.batch, tilePx: bench.sizePx }).readImages(
    Array.from({ length: bench.batch }, (_, i) => i),
    image,
  );
  return {
    info: { nodes: traced.nodes.length, traceMs, compileMs },
    run: async () => {
      await session.run({ [imageInput]: sessionTensor(spec, image) });
    },
    graph,
    dispose: () => session.release(),
  };
}

function networkOf({ encoder, decoder }: BenchCase) {
  return v.parse(SegmentationConfigSchema, {
    ...{ encoder, decoder, decoderChannels: 256, classes: CLASS_COUNT },
  });
}

function deviceOf({ device, threads }: SubjectOptions): Device {
  return { ...deviceNamed(device), ...(threads === undefined ? {} : { threads }) };
}
