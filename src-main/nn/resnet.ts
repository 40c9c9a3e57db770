import * as tf from '@tensorflow/tfjs-core';
import type { Tensor4D } from '@tensorflow/tfjs-core';
import type { HostTensors, NamedTensors } from '../graph/types.ts';
import type { Random } from '../lib/random.ts';
import { relu } from './activation.ts';
import { batchNorm } from './batch-norm.ts';
import { encoderChannels, expansion, type EncoderShape } from './config.ts';
import { convolution } from './convolution.ts';
import { batchNormTensors, heNormalFanOut, named, type Initializers } from './initialization.ts';
import type { Mode } from './mode.ts';
import { parameter } from './tensors.ts';

/** What the encoder hands out. Sides: c2 a quarter of the image, then halved at each map. */
export interface EncoderMaps {
  /** After the stem's pooling. */
  readonly stem: Tensor4D;
  readonly c2: Tensor4D;
  readonly c3: Tensor4D;
  readonly c4: Tensor4D;
  readonly c5: Tensor4D;
}

/**
 * Parameters and running statistics of a ResNet with torchvision's names. Convolutions: normal with
 * variance 2 / (kh kw out); the last batch norm of every block starts with gain 0 (spec 3.1).
 */
export function initEncoder(shape: EncoderShape, prefix: string, random: Random): HostTensors {
  const parts: Initializers = [
    [`${prefix}.conv1.weight`, () => heNormalFanOut([shape.width, 3, 7, 7], random)],
    ...batchNormTensors(`${prefix}.bn1`, shape.width),
  ];
  for (const block of blocks(shape)) {
    const name = `${prefix}.${block.name}`;
    block.convolutions.forEach(({ inputs, outputs, kernel }, i) => {
      const isLast = i === block.convolutions.length - 1;
      parts.push(
        [
          `${name}.conv${i + 1}.weight`,
          () => heNormalFanOut([outputs, inputs, kernel, kernel], random),
        ],
        ...batchNormTensors(`${name}.bn${i + 1}`, outputs, isLast ? 0 : 1),
      );
    });
    if (block.downsample !== undefined) {
      const { inputs, outputs } = block.downsample;
      parts.push(
        [`${name}.downsample.0.weight`, () => heNormalFanOut([outputs, inputs, 1, 1], random)],
        ...batchNormTensors(`${name}.downsample.1`, outputs),
      );
    }
  }
  return named(parts);
}

/** Applies the encoder to normalized images `[batch, height, width, 3]`. */
export function applyEncoder(
  shape: EncoderShape,
  params: NamedTensors,
  prefix: string,
  images: Tensor4D,
  mode: Mode,
): EncoderMaps {
  const first = convolution(images, parameter(params, `${prefix}.conv1.weight`), { stride: 2 });
  // The rectifier stands behind the pool, which is the same and a quarter of its work.
  const stem = relu(tf.maxPool<Tensor4D>(batchNorm(first, params, `${prefix}.bn1`, mode), 3, 2, 1));
  const maps: Tensor4D[] = [];
  let x = stem;
  for (const block of blocks(shape)) {
    x = applyBlock(block, params, `${prefix}.${block.name}`, x, mode);
    if (block.endsStage) maps.push(x);
  }
  const [c2, c3, c4, c5] = maps;
  if (c2 === undefined || c3 === undefined || c4 === undefined || c5 === undefined) {
    throw new Error('A ResNet has four stages.');
  }
  return { stem, c2, c3, c4, c5 };
}

interface Convolution {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
}

interface Block {
  /** `layer2.0` */
  readonly name: string;
  readonly convolutions: readonly Convolution[];
  readonly downsample: Convolution | undefined;
  readonly endsStage: boolean;
}

/** The residual blocks in order; stages 2 to 4 halve the map in their first block. */
function blocks(shape: EncoderShape): readonly Block[] {
  const result: Block[] = [];
  let inputs = shape.width;
  encoderChannels(shape).forEach((outputs, stage) => {
    const depth = shape.depths[stage] ?? 0;
    for (let i = 0; i < depth; i++) {
      const stride = stage > 0 && i === 0 ? 2 : 1;
      result.push({
        name: `layer${stage + 1}.${i}`,
        convolutions: blockConvolutions(shape, inputs, outputs, stride),
        downsample:
          stride !== 1 || inputs !== outputs ? { inputs, outputs, kernel: 1, stride } : undefined,
        endsStage: i === depth - 1,
      });
      inputs = outputs;
    }
  });
  return result;
}

/** Basic: 3x3 (stride), 3x3. Bottleneck, v1.5: 1x1, 3x3 (stride), 1x1. */
function blockConvolutions(
  shape: EncoderShape,
  inputs: number,
  outputs: number,
  stride: number,
): readonly Convolution[] {
  const width = outputs / expansion(shape);
  return shape.block === 'basic'
    ? [
        { inputs, outputs: width, kernel: 3, stride },
        { inputs: width, outputs, kernel: 3, stride: 1 },
      ]
    : [
        { inputs, outputs: width, kernel: 1, stride: 1 },
        { inputs: width, outputs: width, kernel: 3, stride },
        { inputs: width, outputs, kernel: 1, stride: 1 },
      ];
}

function applyBlock(
  block: Block,
  params: NamedTensors,
  name: string,
  input: Tensor4D,
  mode: Mode,
): Tensor4D {
  let x = input;
  block.convolutions.forEach(({ stride }, i) => {
    x = convolution(x, parameter(params, `${name}.conv${i + 1}.weight`), { stride });
    x = batchNorm(x, params, `${name}.bn${i + 1}`, mode);
    if (i < block.convolutions.length - 1) x = relu(x);
  });
  return relu(tf.add(x, shortcut(block, params, name, input, mode)));
}

function shortcut(
  block: Block,
  params: NamedTensors,
  name: string,
  input: Tensor4D,
  mode: Mode,
): Tensor4D {
  if (block.downsample === undefined) return input;
  const weight = parameter(params, `${name}.downsample.0.weight`);
  const x = convolution(input, weight, { stride: block.downsample.stride });
  return batchNorm(x, params, `${name}.downsample.1`, mode);
}
