import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { compileStep, type Precision } from '../../src-main/graph/compile.ts';
import type {
  Device,
  HostTensor,
  HostTensors,
  NamedTensors,
  TensorSpec,
} from '../../src-main/graph/types.ts';
import { AppError, defined } from '../../src-main/lib/errors.ts';
import { Random } from '../../src-main/lib/random.ts';
import { isBatchCounter, isStatistic } from '../../src-main/nn/names.ts';
import {
  initOptimizer,
  optimizerScalars,
  optimizerUpdate,
  type OptimizerKind,
} from '../../src-main/nn/optimizers.ts';
import { rank1, rank2, rank4, withPrefix } from '../../src-main/nn/tensors.ts';
import type { MethodConfig } from '../../src-main/pretrain/config.ts';
import { deconStep, type DeconResult } from '../../src-main/pretrain/decon.ts';
import { lossLevels } from '../../src-main/pretrain/levels.ts';
import { initPretrainState, isStudentParameter } from '../../src-main/pretrain/state.ts';
import { dropoutInputs, dropoutSpecs } from '../../src-main/pretrain/step.ts';
import { methodConfig, teacherMomenta, type StepFile } from './step-file.ts';

/** Where and how steps are computed. */
export interface Execution {
  readonly device: Device;
  readonly precision: Precision;
}

/** In half precision; with 32768 gradients of some files overflow, with 64 the errors are the same. */
const HALF_LOSS_SCALE = 4096;

/** Runs the step of a file and returns what it expects, under its names. */
export async function runStepFile(file: StepFile, execution: Execution): Promise<HostTensors> {
  const config = methodConfig(file);
  const before = startState(config, file);
  const repeats = optimizerRepeats(file.expected);
  const batch = { ...batchOf(config, file), ...givenGradients(repeats, file) };
  const step = await compileStep(
    (state, inputs) => {
      const result = stepOnCrops(config, state, inputs, execution.precision);
      const given = { ...result.gradients, ...stripPrefix(inputs, 'grad.') };
      const updates = repeats.map((repeat) =>
        repeatUpdate(repeat, state, repeat.kind === 'adamw' ? given : result.gradients, file),
      );
      return { state, outputs: { ...namedResults(config, result), ...merged(updates) } };
    },
    { state: before, batch: specsOf(batch), ...execution, label: `parity of ${file.name}` },
  );
  try {
    const outputs = await step.run(dataOf(batch));
    return { ...outputs, ...margins(outputs), ...batchCounters(file, 'after', 1) };
  } finally {
    await step.dispose();
  }
}

/** The method on crops that are already cut and normalized, `[batch, 3, height, width]`. */
export function stepOnCrops(
  config: MethodConfig,
  state: NamedTensors,
  inputs: NamedTensors,
  precision: Precision,
): DeconResult {
  const input = (name: string): Tensor => defined(inputs[name], name);
  const crops = tf.transpose(tf.concat([input('crop1'), input('crop2')]), [0, 2, 3, 1]);
  const overlap = (view: 1 | 2) => ({
    coords: rank2(input(`coords${view}`)),
    flip: rank1(input(`flip${view}`)),
  });
  return deconStep(
    config,
    state,
    {
      views: { crops: rank4(crops), overlaps: [overlap(1), overlap(2)] },
      teacherRate: input('teacherRate'),
      ...dropoutInputs(config, inputs),
      ...(precision === 'half' && { lossScale: tf.tensor1d([HALF_LOSS_SCALE]) }),
    },
    { observe: true },
  );
}

/** The start values of a file; what it leaves out are fresh running statistics and centers. */
export function startState(config: MethodConfig, { before, name }: StepFile): HostTensors {
  const fresh = initPretrainState(config, new Random(0));
  const entries = Object.entries(fresh).map(([key, start]): [string, HostTensor] => {
    const given = before[key];
    if (given === undefined) {
      if (isStatistic(key) || key.startsWith('center')) return [key, start];
      throw new AppError('parity.incomplete', `${name} has no start value for ${key}.`);
    }
    if (given.data.length !== start.data.length) {
      throw new AppError(
        'parity.incomplete',
        `${key} in ${name} has the shape ${given.shape.join('x')}, expected ${start.shape.join('x')}.`,
      );
    }
    return [key, { ...given, shape: start.shape }];
  });
  return Object.fromEntries(entries);
}

/** The inputs of a step; masks that the file does not hold drop nothing. */
export function batchOf(config: MethodConfig, file: StepFile): HostTensors {
  const given = (name: string): HostTensor => defined(file.inputs[name], `in.${name}`);
  const names = ['crop1', 'crop2', 'coords1', 'coords2', 'flip1', 'flip2'];
  const images = given('crop1').shape[0] ?? 0;
  const masks = Object.entries(dropoutSpecs(config, images)).map(
    ([name, { shape }]): [string, HostTensor] => {
      const size = shape.reduce((a, b) => a * b, 1);
      const keepAll: HostTensor = { shape, dtype: 'float32', data: new Float32Array(size).fill(1) };
      return [name, file.inputs[name] ?? keepAll];
    },
  );
  const rates = teacherMomenta(file).map((momentum) => 1 - momentum);
  return {
    ...Object.fromEntries(names.map((name) => [name, given(name)])),
    ...Object.fromEntries(masks),
    teacherRate: { shape: [2], dtype: 'float32', data: Float32Array.from(rates) },
  };
}

/** Our results under the names of the files. */
export function namedResults(config: MethodConfig, result: DeconResult): NamedTensors {
  const entries: [string, Tensor][] = Object.entries(result.observed);
  for (const [name, tensor] of Object.entries(result.gradients))
    entries.push([`grad.${name}`, tensor]);
  for (const [name, tensor] of Object.entries(result.buffers)) {
    const group = isStatistic(name) || name.startsWith('center') ? 'after' : 'ema';
    entries.push([`${group}.${name}`, tensor]);
  }
  return { ...Object.fromEntries(entries), ...namedLosses(config, result.outputs) };
}

function namedLosses(config: MethodConfig, outputs: NamedTensors): NamedTensors {
  const loss = (name: string): Tensor => defined(outputs[`loss.${name}`], name);
  const labels = lossLevels(config).map(({ label }) => label);
  const levels = labels.filter((label) => label !== 'encoder');
  const mean = (part: string): Tensor =>
    tf.div(tf.addN(levels.map((label) => loss(label + part))), levels.length);
  return {
    'loss.total': loss('total'),
    ...(labels.includes('encoder') && {
      'loss.enc_group': loss('encoder.group'),
      'loss.enc_ctr': loss('encoder.contrast'),
      'loss.encoder': loss('encoder'),
    }),
    ...Object.fromEntries(
      levels.map((label, i) => [`loss.dec_group.${i}`, loss(`${label}.group`)]),
    ),
    ...Object.fromEntries(
      levels.map((label, i) => [`loss.dec_ctr.${i}`, loss(`${label}.contrast`)]),
    ),
    ...(levels.length > 0 && {
      'loss.dec_group': mean('.group'),
      'loss.dec_ctr': mean('.contrast'),
      'loss.decoder': mean(''),
    }),
  };
}

interface Repeat {
  /** `lars2` */
  readonly group: string;
  readonly kind: OptimizerKind;
  readonly times: number;
}

/** The optimizer groups a file holds: the student after so many updates with the same gradient. */
function optimizerRepeats(expected: HostTensors): readonly Repeat[] {
  const groups = new Set(Object.keys(expected).map((name) => name.split('.')[0] ?? ''));
  return [...groups].flatMap((group) => {
    const [, kind, times] = /^(lars|sgd|adamw)(\d+)$/.exec(group) ?? [];
    const isKind = kind === 'lars' || kind === 'sgd' || kind === 'adamw';
    return isKind ? [{ group, kind, times: Number(times) }] : [];
  });
}

/**
 * AdamW's first steps are the signs of the gradient, where ours and the reference's differ wherever
 * it is nearly 0. So it starts from the file's gradients; the other optimizers start from ours.
 */
function givenGradients(repeats: readonly Repeat[], { expected }: StepFile): HostTensors {
  return repeats.some(({ kind }) => kind === 'adamw') ? withPrefix(expected, 'grad.') : {};
}

function repeatUpdate(
  { group, kind, times }: Repeat,
  state: NamedTensors,
  gradients: NamedTensors,
  { metadata }: StepFile,
): NamedTensors {
  const number = (key: string, fallback: number): number => Number(metadata[key] ?? fallback);
  let params = Object.fromEntries(
    Object.entries(state).filter(([name]) => isStudentParameter(name)),
  );
  const shapes = Object.entries(params).map(([name, { shape, size }]): [string, HostTensor] => [
    name,
    { shape, dtype: 'float32', data: new Float32Array(size) },
  ]);
  let buffers: NamedTensors = Object.fromEntries(
    Object.entries(initOptimizer(kind, Object.fromEntries(shapes))).map(([name, { shape }]) => [
      name,
      tf.zeros([...shape]),
    ]),
  );
  for (let step = 0; step < times; step++) {
    const next = optimizerUpdate(kind, params, likeParams(gradients, params), buffers, {
      weightDecay: number('opt_weight_decay', 0),
      momentum: number('opt_momentum', 0.9),
      scalars: tf.tensor1d(optimizerScalars(number('opt_lr', 0.1), step)),
    });
    ({ params, buffers } = { params: { ...next.params }, buffers: next.buffers });
  }
  return Object.fromEntries(Object.entries(params).map(([name, p]) => [`${group}.${name}`, p]));
}

/** Smallest difference of the two best scores per image; computed from `score.*`. */
export function margins(outputs: HostTensors): HostTensors {
  const entries = Object.entries(outputs).flatMap(
    ([name, { data, shape }]): [string, HostTensor][] => {
      if (!name.startsWith('score.')) return [];
      const [images = 0, prototypes = 0, height = 0, width = 0] = shape;
      const pixels = height * width;
      const margin = Float32Array.from({ length: images }, (_, image) => {
        const gaps = Array.from({ length: pixels }, (_unused, pixel) => {
          const at = (k: number): number => data[(image * prototypes + k) * pixels + pixel] ?? NaN;
          const scores = Array.from({ length: prototypes }, (_score, k) => at(k)).toSorted(
            (a, b) => b - a,
          );
          return (scores[0] ?? NaN) - (scores[1] ?? NaN);
        });
        return Math.min(...gaps);
      });
      return [
        [name.replace('score', 'margin'), { shape: [images], dtype: 'float32', data: margin }],
      ];
    },
  );
  return Object.fromEntries(entries);
}

/** Batch norm's call counters are kept outside the graph: each network sees two views a step. */
export function batchCounters(file: StepFile, group: string, steps: number): HostTensors {
  const names = Object.keys(file.expected).filter((name) => isBatchCounter(name));
  const entries = names.map((name): [string, HostTensor] => {
    const start = file.before[name.slice(group.length + 1)]?.data[0] ?? 0;
    return [name, { shape: [1], dtype: 'float32', data: Float32Array.of(start + 2 * steps) }];
  });
  return Object.fromEntries(entries);
}

/** Files may store 1x1 convolutions as matrices. */
function likeParams(gradients: NamedTensors, params: NamedTensors): NamedTensors {
  const entries = Object.entries(params).map(([name, { shape }]): [string, Tensor] => [
    name,
    tf.reshape(defined(gradients[name], name), shape),
  ]);
  return Object.fromEntries(entries);
}

function stripPrefix(tensors: NamedTensors, prefix: string): NamedTensors {
  const entries = Object.entries(withPrefix(tensors, prefix));
  return Object.fromEntries(entries.map(([name, t]) => [name.slice(prefix.length), t]));
}

function merged(parts: readonly NamedTensors[]): NamedTensors {
  return Object.fromEntries(parts.flatMap((part) => Object.entries(part)));
}

export function specsOf(tensors: HostTensors): Record<string, TensorSpec> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  );
}

export function dataOf(tensors: HostTensors) {
  return Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data]));
}
