import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { withGradient } from '../nn/custom-gradient.ts';

/** Scalars of the segmentation loss; gradients flow from `total`. */
export interface SegmentationLoss {
  readonly total: Tensor;
  readonly crossEntropy: Tensor;
  readonly dice: Tensor;
}

/**
 * Cross-entropy plus `diceWeight` times soft Dice, of logits [batch, height, width, classes]
 * against class indices [batch, height, width]. A label that is no class (255) is ignored by both.
 *
 * - Cross-entropy: mean over all labelled pixels of the batch (not per image), so an image with few
 *   labelled pixels does not weigh more per pixel. Zero when no pixel is labelled.
 * - Dice: 1 - 2 sum(p y) / (sum(p) + sum(y)) per class, sums over the labelled pixels of the whole
 *   batch, then the mean over the classes that occur in the batch's labels. A class that does not
 *   occur has no overlap to reward and is left out; cross-entropy punishes its false positives.
 *   The batch-wide form (nnU-Net's `batch_dice`) keeps crops without a rare class from flattening it.
 */
export function segmentationLoss(
  logits: Tensor,
  labels: Tensor,
  diceWeight: number,
): SegmentationLoss {
  const classCount = logits.shape[logits.shape.length - 1] ?? 0;
  const target = oneHotLabels(labels, classCount);
  const perClass: number[] = [0, 1, 2];

  const classPixels = tf.sum(target, perClass); // [classes]
  const crossEntropy = crossEntropyOf(logits, target, tf.maximum(tf.sum(classPixels), 1));

  const probability = labelledProbability(tf.logSoftmax(logits), target);
  const overlap = tf.sum(tf.mul(probability, target), perClass);
  const size = tf.add(tf.sum(probability, perClass), classPixels);
  const present = tf.cast(tf.greater(classPixels, 0), 'float32');
  const perClassDice = tf.sub(1, tf.div(tf.mul(overlap, 2), tf.maximum(size, 1e-6)));
  const dice = tf.div(tf.sum(tf.mul(perClassDice, present)), tf.maximum(tf.sum(present), 1));

  // Without weight Dice is only told; its gradient would be zeros of the size of the logits.
  const total = diceWeight === 0 ? crossEntropy : tf.add(crossEntropy, tf.mul(dice, diceWeight));
  return { total, crossEntropy, dice };
}

/** Sum of -log probability of the labels by `pixels`. Its gradient is (probability - label) / pixels. */
function crossEntropyOf(logits: Tensor, target: Tensor, pixels: Tensor): Tensor {
  return withGradient(
    [logits],
    () => {
      const logProbability = tf.logSoftmax(logits);
      const value = tf.neg(tf.div(tf.sum(tf.mul(logProbability, target)), pixels));
      return {
        value,
        saved: [labelledProbability(logProbability, target), target, pixels] as const,
      };
    },
    (dy, [probability, labels, count]) => [tf.mul(tf.sub(probability, labels), tf.div(dy, count))],
  );
}

/** Probabilities of the labelled pixels, zeros elsewhere. */
function labelledProbability(logProbability: Tensor, target: Tensor): Tensor {
  return tf.mul(tf.exp(logProbability), tf.sum(target, -1, true));
}

/**
 * Class indices [batch, height, width] (floats) as [batch, height, width, classes] of 0 and 1; a
 * value that is no class becomes a row of zeros.
 */
export function oneHotLabels(labels: Tensor, classCount: number): Tensor {
  const indices = tf.reshape(tf.range(0, classCount, 1, 'float32'), [classCount, 1, 1]);
  // Plane by plane, as scores lie in a compiled step; the axes are only renamed there.
  const planes = tf.cast(tf.equal(tf.expandDims(labels, 1), indices), 'float32');
  return tf.transpose(planes, [0, 2, 3, 1]);
}
