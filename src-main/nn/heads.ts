import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import type { HostTensors, NamedTensors } from '../graph/types.ts';
import type { Random } from '../lib/random.ts';
import { gelu } from './activation.ts';
import { rowNorm } from './batch-norm.ts';
import { linear } from './convolution.ts';
import { batchNormTensors, constant, named, normal, type Initializers } from './initialization.ts';
import type { Mode } from './mode.ts';
import { parameter } from './tensors.ts';

export interface HeadShape {
  readonly inputs: number;
  readonly hidden: number;
  readonly outputs: number;
  /** Projectors are stored as 1x1 convolutions, predictors as linear layers (spec 3.2). */
  readonly kind: 'projector' | 'predictor';
}

/** Names of the three layers inside PyTorch's `Sequential`; 1 and 4 are batch norms. */
const LAYERS = [
  { weights: 'mlp.0', norm: 'mlp.1' },
  { weights: 'mlp.3', norm: 'mlp.4' },
  { weights: 'mlp.6', norm: undefined },
] as const;

/** Truncated normal weights (std 0.02, a cut at +-2 is never reached), biases 0 (spec 3.2). */
export function initHead(shape: HeadShape, prefix: string, random: Random): HostTensors {
  const widths = [shape.inputs, shape.hidden, shape.hidden, shape.outputs];
  const kernel = shape.kind === 'projector' ? [1, 1] : [];
  const parts: Initializers = [];
  LAYERS.forEach(({ weights, norm }, i) => {
    const [inputs, outputs] = [widths[i] ?? 0, widths[i + 1] ?? 0];
    parts.push(
      [`${prefix}.${weights}.weight`, () => normal([outputs, inputs, ...kernel], 0.02, random)],
      [`${prefix}.${weights}.bias`, () => constant([outputs], 0)],
    );
    if (norm !== undefined) parts.push(...batchNormTensors(`${prefix}.${norm}`, outputs));
  });
  return named(parts);
}

/**
 * Three layers over rows `[rows, inputs]`: linear, BN, GELU; linear, BN, GELU; linear. With `used`
 * the batch statistics see only rows with 1 (predictor: only slots that take part).
 */
export function applyHead(
  params: NamedTensors,
  prefix: string,
  rows: Tensor2D,
  mode: Mode,
  used?: Tensor,
): Tensor2D {
  return LAYERS.reduce((x, { weights, norm }) => {
    const product = linear(x, parameter(params, `${prefix}.${weights}.weight`));
    const bias = parameter(params, `${prefix}.${weights}.bias`);
    return norm === undefined
      ? tf.add(product, bias)
      : gelu(rowNorm(product, bias, params, `${prefix}.${norm}`, mode, used));
  }, rows);
}
