import * as tf from '@tensorflow/tfjs-core';
import { compileStep } from '../../src-main/graph/compile.ts';
import type { HostTensor, HostTensors } from '../../src-main/graph/types.ts';
import { AppError, defined } from '../../src-main/lib/errors.ts';
import {
  initOptimizer,
  optimizerScalars,
  optimizerScalarsSpec,
  optimizerUpdate,
  type OptimizerKind,
} from '../../src-main/nn/optimizers.ts';
import { isStudentParameter } from '../../src-main/pretrain/state.ts';
import { methodConfig, type StepFile } from './step-file.ts';
import {
  batchCounters,
  batchOf,
  dataOf,
  margins,
  specsOf,
  startState,
  stepOnCrops,
  type Execution,
} from './step-run.ts';

const LOSSES = ['group_12', 'group_21', 'ctr_12', 'ctr_21', 'total'];

/**
 * Runs the steps of a trajectory file: at step t the crops are rolled along the channels by t, and
 * for odd t the views change places. Learning rates and momenta are those of the file.
 */
export async function runTrajectory(file: StepFile, execution: Execution): Promise<HostTensors> {
  const config = methodConfig(file);
  const values = (name: string): number[] => Array.from(defined(file.expected[name], name).data);
  const learningRates = values('step.lr');
  const momenta = values('step.ema_momentum');
  const state = startState(config, file);
  const student = Object.fromEntries(
    Object.entries(state).filter(([name]) => isStudentParameter(name)),
  );
  const batch = batchOf(config, file);
  const kind = optimizerKind(file.metadata['optimizer']);
  const options = {
    weightDecay: Number(file.metadata['weight_decay']),
    momentum: Number(file.metadata['momentum']),
  };
  const step = await compileStep(
    (before, inputs) => {
      const { gradients, buffers, outputs, observed } = stepOnCrops(
        config,
        before,
        inputs,
        execution.precision,
      );
      const params = Object.fromEntries(
        Object.entries(before).filter(([name]) => isStudentParameter(name)),
      );
      const scalars = defined(inputs['optimizerScalars'], 'scalars');
      const next = optimizerUpdate(kind, params, gradients, before, { ...options, scalars });
      const squares = Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient)));
      return {
        state: { ...before, ...buffers, ...next.params, ...next.buffers },
        outputs: { ...observed, ...outputs, gradNorm: tf.sqrt(tf.addN(squares)) },
      };
    },
    {
      state: { ...state, ...initOptimizer(kind, student) },
      batch: { ...specsOf(batch), optimizerScalars: optimizerScalarsSpec },
      ...execution,
      label: `parity of ${file.name}`,
    },
  );
  try {
    const losses: number[] = [];
    const gradNorms: number[] = [];
    const centers: number[] = [];
    const smallest: number[] = [];
    for (const [t, learningRate] of learningRates.entries()) {
      const rate = 1 - (momenta[t] ?? NaN);
      const outputs = await step.run({
        ...dataOf(atStep(batch, t)),
        teacherRate: Float32Array.of(rate, rate),
        optimizerScalars: optimizerScalars(learningRate, t),
      });
      const scalar = (name: string): number => defined(outputs[name], name).data[0] ?? NaN;
      losses.push(...LOSSES.map((name) => scalar(`loss.${name}`)));
      gradNorms.push(scalar('gradNorm'));
      centers.push(...((await step.readState())['center']?.data ?? []));
      smallest.push(Math.min(...Object.values(margins(outputs)).flatMap(({ data }) => [...data])));
    }
    const final = Object.entries(await step.readState()).map(
      ([name, tensor]): [string, HostTensor] => [`final.${name}`, tensor],
    );
    const steps = learningRates.length;
    return {
      ...Object.fromEntries(final),
      ...batchCounters(file, 'final', steps),
      'step.lr': column(learningRates, steps),
      'step.ema_momentum': column(momenta, steps),
      'step.losses': column(losses, steps),
      'step.grad_norm': column(gradNorms, steps),
      'step.center': column(centers, steps),
      'step.min_margin': column(smallest, steps),
    };
  } finally {
    await step.dispose();
  }
}

function optimizerKind(name = 'lars'): OptimizerKind {
  if (name === 'lars' || name === 'sgd' || name === 'adamw') return name;
  throw new AppError('parity.incomplete', `The file names an unknown optimizer: ${name}.`);
}

function column(values: readonly number[], steps: number): HostTensor {
  const shape = values.length === steps ? [steps] : [steps, values.length / steps];
  return { shape, dtype: 'float32', data: Float32Array.from(values) };
}

function atStep(batch: HostTensors, t: number): HostTensors {
  const entries = Object.keys(batch).map((name): [string, HostTensor] => {
    const isSwapped = t % 2 === 1 && /^(crop|coords|flip)[12]$/.test(name);
    const source = isSwapped ? name.replace(/.$/, (view) => (view === '1' ? '2' : '1')) : name;
    const moved = defined(batch[source], source);
    return [name, name.startsWith('crop') ? rolled(moved, t) : moved];
  });
  return Object.fromEntries(entries);
}

/** Output channel c is input channel (c - by) mod 3; crops `[images, 3, height, width]`. */
function rolled(crops: HostTensor, by: number): HostTensor {
  const [images = 0, channels = 0, height = 0, width = 0] = crops.shape;
  const pixels = height * width;
  const data = new Float32Array(crops.data.length);
  for (let image = 0; image < images; image++) {
    for (let channel = 0; channel < channels; channel++) {
      const source = (((channel - by) % channels) + channels) % channels;
      const start = (image * channels + source) * pixels;
      data.set(crops.data.subarray(start, start + pixels), (image * channels + channel) * pixels);
    }
  }
  return { ...crops, data };
}
