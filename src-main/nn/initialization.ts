import type { HostTensor, HostTensors } from '../graph/types.ts';
import type { Random } from '../lib/random.ts';

/** Names with what makes their tensors, in the order of PyTorch's modules. */
export type Initializers = [name: string, make: () => HostTensor][];

export function named(parts: Readonly<Initializers>): HostTensors {
  return Object.fromEntries(parts.map(([name, make]) => [name, make()]));
}

/** Gain, shift and running statistics. */
export function batchNormTensors(prefix: string, channels: number, gain = 1): Initializers {
  return [
    [`${prefix}.weight`, () => constant([channels], gain)],
    [`${prefix}.bias`, () => constant([channels], 0)],
    [`${prefix}.running_mean`, () => constant([channels], 0)],
    [`${prefix}.running_var`, () => constant([channels], 1)],
  ];
}

export function constant(shape: readonly number[], value: number): HostTensor {
  return filled(shape, () => value);
}

/** Normal with variance 2 / (kh kw out): He et al. 2015, fan-out. */
export function heNormalFanOut(
  shape: readonly [out: number, inputs: number, kh: number, kw: number],
  random: Random,
): HostTensor {
  const deviation = Math.sqrt(2 / (shape[0] * shape[2] * shape[3]));
  return filled(shape, () => deviation * random.normal());
}

/** Uniform within +-sqrt(6 / ((1 + a^2) fan-in)): PyTorch's kaiming_uniform_. */
export function kaimingUniform(
  shape: readonly [out: number, inputs: number, kh: number, kw: number],
  a: number,
  random: Random,
): HostTensor {
  const bound = Math.sqrt(6 / ((1 + a * a) * shape[1] * shape[2] * shape[3]));
  return filled(shape, () => random.uniform(-bound, bound));
}

export function normal(shape: readonly number[], deviation: number, random: Random): HostTensor {
  return filled(shape, () => deviation * random.normal());
}

function filled(shape: readonly number[], value: () => number): HostTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = new Float32Array(size);
  for (let i = 0; i < size; i++) data[i] = value();
  return { shape, dtype: 'float32', data };
}
