import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NamedTensors } from '../graph/types.ts';

/**
 * The step's small outputs that health is judged from, for one loss level and one view.
 * features [N,D] student projections; studentSlots and teacherSlots [N,K] one-hot choices of
 * prototype at the same pixels. Outputs are named `health.<level>.<what>`.
 */
export function healthTensors(
  level: string,
  features: Tensor,
  studentSlots: Tensor,
  teacherSlots: Tensor,
): NamedTensors {
  const pixels = features.shape[0] ?? 1;
  const length = tf.sqrt(tf.sum(tf.square(features), 1, true));
  const unit = tf.div(features, tf.maximum(length, 1e-12));
  return {
    [`health.${level}.mean`]: tf.mean(unit, 0),
    [`health.${level}.moment`]: tf.div(tf.matMul(unit, unit, true, false), pixels),
    [`health.${level}.usage`]: tf.mean(teacherSlots, 0),
    [`health.${level}.agreement`]: tf.div(tf.sum(tf.mul(studentSlots, teacherSlots)), pixels),
  };
}
