import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NamedTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import { parameter } from '../nn/tensors.ts';
import { together } from '../nn/together.ts';
import type { MethodConfig } from './config.ts';
import { isTeacherParameter, studentName } from './state.ts';

/**
 * theta_k <- m theta_k + (1 - m) theta_q for every teacher parameter, not for statistics (spec 3.3).
 * Written with 1 - m, which keeps its digits when m is close to 1. `released` leaves the teacher's
 * decoder prototypes alone (spec 6.5).
 *
 * Made twice, by operations with opposite signs and so with the same bits: once for the forward pass,
 * and once for the next state, which then need not lie in memory while the step is at its largest.
 */
export function updateTeacher(
  config: Pick<MethodConfig, 'ema'>,
  state: NamedTensors,
  rate: Tensor,
): { readonly used: NamedTensors; readonly next: NamedTensors } {
  const [encoderRate, decoderRate] = tf.split(rate, 2);
  const isFrozen = (name: string): boolean =>
    config.ema === 'released' && name.startsWith('dec_grouping_k');
  const isVector = (name: string): boolean => state[name]?.rank === 1;
  const names = Object.keys(state).filter(isTeacherParameter);
  const moving = names.filter((name) => !isFrozen(name));
  const pair = (name: string): [teacher: Tensor, student: Tensor] => [
    parameter(state, name),
    parameter(state, studentName(name)),
  ];
  const [encoder, decoder] = [
    { share: defined(encoderRate, 'teacher rate'), names: moving.filter((n) => !isOfDecoder(n)) },
    { share: defined(decoderRate, 'teacher rate'), names: moving.filter(isOfDecoder) },
  ];
  /** Vectors of channels: of all layers at once, and only once, since they are small. */
  const vectors = [encoder, decoder].flatMap((part) => {
    const short = part.names.filter(isVector);
    const next = together(short.map(pair), (teacher, student) => [
      towards(defined(teacher, 'teacher'), defined(student, 'student'), part.share),
    ]);
    return short.map((name, i) => [name, defined(next[i]?.[0], name)] as const);
  });
  const moved = (move: typeof towards): NamedTensors => ({
    ...Object.fromEntries(names.filter(isFrozen).map((name) => [name, parameter(state, name)])),
    ...Object.fromEntries(vectors),
    ...Object.fromEntries(
      [encoder, decoder].flatMap((part) =>
        part.names
          .filter((name) => !isVector(name))
          .map((name) => [name, move(...pair(name), part.share)] as const),
      ),
    ),
  });
  return { used: moved(towards), next: moved(towardsInReverse) };
}

function isOfDecoder(name: string): boolean {
  return name.startsWith('dec');
}

function towards(teacher: Tensor, student: Tensor, share: Tensor): Tensor {
  return tf.add(teacher, tf.mul(tf.sub(student, teacher), share));
}

/** The same bits by other operations. */
function towardsInReverse(teacher: Tensor, student: Tensor, share: Tensor): Tensor {
  return tf.sub(teacher, tf.mul(tf.sub(teacher, student), share));
}
