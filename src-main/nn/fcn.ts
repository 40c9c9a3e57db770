import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { HostTensors, NamedTensors } from '../graph/types.ts';
import type { Random } from '../lib/random.ts';
import { relu } from './activation.ts';
import { batchNorm } from './batch-norm.ts';
import type { NetworkConfig } from './config.ts';
import { convolution } from './convolution.ts';
import { batchNormTensors, kaimingUniform, named } from './initialization.ts';
import type { Mode } from './mode.ts';
import { parameter } from './tensors.ts';

const BLOCKS = [0, 1];

/** Padding and dilation of the two forms (spec 6.2). */
export const FCN_DILATIONS = { cityscapes: 6, ade20k: 1 } as const satisfies Record<
  NetworkConfig['fcnForm'],
  number
>;

/**
 * Two blocks of [3x3 convolution without bias, batch norm, ReLU] with mmsegmentation's names.
 * PyTorch's default initialization: Kaiming uniform with a = sqrt 5.
 */
export function initFcn(
  shape: { readonly inputs: number; readonly channels: number },
  prefix: string,
  random: Random,
): HostTensors {
  return named(
    BLOCKS.flatMap((i) => {
      const inputs = i === 0 ? shape.inputs : shape.channels;
      return [
        [
          `${prefix}.convs.${i}.conv.weight`,
          () => kaimingUniform([shape.channels, inputs, 3, 3], Math.sqrt(5), random),
        ],
        ...batchNormTensors(`${prefix}.convs.${i}.bn`, shape.channels),
      ];
    }),
  );
}

/** Applies the decoder to c5; the result has c5's size. */
export function applyFcn(
  form: NetworkConfig['fcnForm'],
  params: NamedTensors,
  prefix: string,
  c5: Tensor4D,
  mode: Mode,
): Tensor4D {
  const dilation = FCN_DILATIONS[form];
  return BLOCKS.reduce((x, i) => {
    const block = `${prefix}.convs.${i}`;
    const weight = parameter(params, `${block}.conv.weight`);
    return relu(batchNorm(convolution(x, weight, { dilation }), params, `${block}.bn`, mode));
  }, c5);
}
