import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import type { NamedTensors } from '../graph/types.ts';

/** The tensor stored under `name`; a missing one is a bug in the caller's list of names. */
export function parameter(params: NamedTensors, name: string): Tensor {
  const tensor = params[name];
  if (tensor === undefined) throw new Error(`The network needs a parameter named ${name}.`);
  return tensor;
}

/** Narrows the static rank; a wrong rank is a bug. */
export function rank1(tensor: Tensor): Tensor1D {
  if (!isRank1(tensor)) throw wrongRank(tensor, 1);
  return tensor;
}

export function rank2(tensor: Tensor): Tensor2D {
  if (!isRank2(tensor)) throw wrongRank(tensor, 2);
  return tensor;
}

export function rank3(tensor: Tensor): Tensor3D {
  if (!isRank3(tensor)) throw wrongRank(tensor, 3);
  return tensor;
}

export function rank4(tensor: Tensor): Tensor4D {
  if (!isRank4(tensor)) throw wrongRank(tensor, 4);
  return tensor;
}

/** A matrix of the same elements; -1 stands for what is left. */
export function matrix(tensor: Tensor, shape: readonly [number, number]): Tensor2D {
  return tf.reshape<tf.Rank.R2>(tensor, [...shape]);
}

/** The entries whose names start with `prefix`, under their full names. */
export function withPrefix<T>(
  entries: Readonly<Record<string, T>>,
  prefix: string,
): Record<string, T> {
  return Object.fromEntries(Object.entries(entries).filter(([name]) => name.startsWith(prefix)));
}

function wrongRank(tensor: Tensor, rank: number): Error {
  return new Error(`Expected a tensor of rank ${rank}, got shape [${tensor.shape.join(', ')}].`);
}

function isRank1(tensor: Tensor): tensor is Tensor1D {
  return tensor.rank === 1;
}

function isRank2(tensor: Tensor): tensor is Tensor2D {
  return tensor.rank === 2;
}

function isRank3(tensor: Tensor): tensor is Tensor3D {
  return tensor.rank === 3;
}

function isRank4(tensor: Tensor): tensor is Tensor4D {
  return tensor.rank === 4;
}
