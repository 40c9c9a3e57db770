import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { normalize } from '../nn/activation.ts';
import { withGradient } from '../nn/custom-gradient.ts';
import { rank2, rank3, rank4 } from '../nn/tensors.ts';

/** What one network sees in one view at one loss level (spec 4.1, 4.2). */
export interface Slots {
  /** `[batch, prototypes, dim]`: weighted means of the un-normalized projections. */
  readonly vectors: Tensor3D;
  /** `[batch, height, width, prototypes]`: cosine of pixel and prototype. */
  readonly scores: Tensor4D;
  /** `[batch, height * width, prototypes]`: 1 at each pixel's best prototype. */
  readonly choice: Tensor3D;
  /** `[batch, prototypes]`: 1 where the prototype is the best of at least one pixel. */
  readonly present: Tensor2D;
  /** `[batch, height * width, prototypes]`: softmax over prototypes, plus 1e-6. */
  readonly attention: Tensor3D;
}

/**
 * Semantic grouping (SlotCon eq. 1-3, spec 4.1): assigns the pixels of projections
 * `[batch, height, width, dim]` to prototypes `[prototypes, dim]` and pools one vector per
 * prototype. Every prototype gets a vector; `present` tells which ones mean something.
 */
export function groupPixels(
  projections: Tensor4D,
  prototypes: Tensor2D,
  attentionTemperature: number,
): Slots {
  const [batch, height, width, dim] = projections.shape;
  const count = prototypes.shape[0];
  const rows = rank2(tf.reshape(projections, [-1, dim]));
  const cosines = tf.matMul(normalize(rows), normalize(prototypes), false, true);
  const scores = rank3(tf.reshape(cosines, [batch, height * width, count]));
  const attention = tf.add<Tensor3D>(tf.softmax(tf.div(scores, attentionTemperature)), 1e-6);
  const pixels = rank3(tf.reshape(projections, [batch, height * width, dim]));
  const sums = tf.matMul(attention, pixels, true, false); // [batch, prototypes, dim]
  const weights = tf.reshape(tf.sum(attention, 1), [batch, count, 1]);
  const choice = rank3(tf.oneHot(tf.argMax(scores, 2), count)); // first of equals
  return {
    vectors: tf.div(sums, weights),
    scores: rank4(tf.reshape(scores, [batch, height, width, count])),
    choice: tf.cast(choice, 'float32'),
    present: rank2(tf.cast(tf.max(choice, 1), 'float32')),
    attention,
  };
}

/** Where two views of an image show the same place, seen from one of them (spec 2.2). */
export interface Overlap {
  /** `[batch, 4]`: x1, y1, x2, y2 of the common rectangle in the crop's unit square. */
  readonly coords: Tensor2D;
  /** `[batch]`: 1 where the crop is mirrored. */
  readonly flip: Tensor;
}

/** Resampling matrices of one view for maps of one size. */
export interface AlignmentMatrices {
  /** `[batch, height, height]` */
  readonly rows: Tensor3D;
  /** `[batch, width, width]`, the flip undone. */
  readonly columns: Tensor3D;
}

/**
 * Inverse augmentation as two small matrices per image, equal to the reference's RoIAlign (spec
 * 4.3). Without overlap they are 0, so the aligned scores are 0 and their softmax is uniform.
 */
export function alignmentMatrices(
  { coords, flip }: Overlap,
  height: number,
  width: number,
): AlignmentMatrices {
  const [left, top, right, bottom] = tf.split(coords, 4, 1); // [batch, 1] each
  if (left === undefined || top === undefined || right === undefined || bottom === undefined) {
    throw new Error('Coordinates need four columns.');
  }
  const overlaps = tf.logicalAnd(tf.greater(right, left), tf.greater(bottom, top));
  const weight = tf.reshape(tf.cast(overlaps, 'float32'), [-1, 1, 1]);
  const across = resamplingMatrix(left, right, width, tf.reshape(flip, [-1, 1]));
  return {
    rows: tf.mul(resamplingMatrix(top, bottom, height), weight),
    columns: tf.mul(across, weight),
  };
}

/**
 * Resamples score maps to the overlap rectangle. The result is `[batch, width, height, prototypes]`:
 * with the axes in this order one transposition is enough, and the losses do not care.
 */
export function align(scores: Tensor4D, { rows, columns }: AlignmentMatrices): Tensor4D {
  const [batch, height, width, count] = scores.shape;
  const vertical = tf.matMul(rows, rank3(tf.reshape(scores, [batch, height, width * count])));
  const turned = tf.transpose(tf.reshape(vertical, [batch, height, width, count]), [0, 2, 1, 3]);
  const horizontal = tf.matMul(columns, rank3(tf.reshape(turned, [batch, width, height * count])));
  return rank4(tf.reshape(horizontal, [batch, width, height, count]));
}

/**
 * Grouping loss of one direction (spec 4.4): mean over pixels of the cross-entropy between the
 * teacher's sharpened, centered assignment and the student's, both aligned, of any shape
 * `[..., prototypes]`; center `[1, prototypes]`. Only the student gets a gradient; it is made
 * together with the loss, so that one tensor is kept instead of two.
 */
export function groupingLoss(
  student: Tensor,
  teacher: Tensor,
  center: Tensor,
  temperatures: { readonly student: number; readonly teacher: number },
): Scalar {
  const target = tf.softmax(tf.div(tf.sub(teacher, center), temperatures.teacher));
  const rows = student.size / (student.shape.at(-1) ?? 1);
  const loss = withGradient(
    [student],
    () => {
      const logits = tf.div(student, temperatures.student);
      const assignment = tf.softmax(logits);
      const perRow = tf.sub(
        logSumExp(logits, assignment),
        tf.sum(tf.mul(target, logits), -1, true),
      );
      const slope = tf.mul(tf.sub(assignment, target), 1 / (temperatures.student * rows));
      return { value: tf.mean(perRow), saved: [slope] as const };
    },
    (dy, [slope]) => [tf.mul(slope, dy)],
  );
  return tf.reshape(loss, []);
}

/** log(sum(exp(logits))) over the last axis (kept), given their softmax: max - log(max softmax). */
export function logSumExp(logits: Tensor, softmax: Tensor): Tensor {
  return tf.sub(tf.max(logits, -1, true), tf.log(tf.max(softmax, -1, true)));
}

/**
 * The next center (spec 4.5): running mean of the teacher's raw scores over both views, images and
 * pixels. center `[1, prototypes]`, scores `[batch, height, width, prototypes]`.
 */
export function nextCenter(
  center: Tensor,
  teacherScores: readonly [Tensor, Tensor],
  momentum: number,
): Tensor {
  const [first, second] = teacherScores.map((scores) => tf.mean(scores, [0, 1, 2]));
  if (first === undefined || second === undefined) throw new Error('Two views are needed.');
  const batch = tf.mul(tf.add(first, second), 0.5 * (1 - momentum));
  return tf.add(tf.mul(center, momentum), batch);
}

/**
 * Linear resampling of an axis of `size` pixels to the span low..high (`[batch, 1]` each, in units
 * of the axis), in the order of operations of spec 4.3; `[batch, size, size]`. `reversed` (`[batch,
 * 1]`) mirrors the result.
 */
function resamplingMatrix(low: Tensor, high: Tensor, size: number, reversed?: Tensor): Tensor3D {
  const batch = low.shape[0] ?? 0;
  const pixels = Array.from({ length: size }, (_, i) => i);
  const ascending = tf.tensor(pixels, [1, size], 'float32');
  const mirror = tf.tensor(
    pixels.map((i) => size - 1 - 2 * i),
    [1, size],
    'float32',
  );
  const index = reversed === undefined ? ascending : tf.add(ascending, tf.mul(reversed, mirror));
  const start = tf.sub(tf.mul(low, size), 0.5);
  const end = tf.sub(tf.mul(high, size), 0.5);
  const bin = tf.div(tf.sub(end, start), size);
  const position = tf.add(tf.add(start, tf.mul(index, bin)), tf.mul(bin, 0.5));
  const inside = tf.minimum(tf.maximum(position, 0), size - 1);
  const distance = tf.abs(
    tf.sub(tf.reshape(inside, [batch, size, 1]), tf.reshape(ascending, [1, 1, size])),
  );
  return rank3(tf.maximum(tf.sub(1, distance), 0));
}
