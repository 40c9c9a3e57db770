import '@tensorflow/tfjs-backend-cpu';
import '../../../src-main/graph/gradients.ts';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { oneHotLabels, segmentationLoss } from '../../../src-main/finetune/losses.ts';
import { Random } from '../../../src-main/lib/random.ts';

const shape: [number, number, number, number] = [2, 3, 3, 4];
const classes = 4;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Plain float64 version of the definition. */
function reference(logits: Float64Array, labels: readonly number[], diceWeight: number): number {
  const overlap = new Float64Array(classes);
  const probabilitySum = new Float64Array(classes);
  const truth = new Float64Array(classes);
  let crossEntropy = 0;
  let pixels = 0;
  labels.forEach((label, pixel) => {
    if (label >= classes) return;
    const row = logits.subarray(pixel * classes, (pixel + 1) * classes);
    const highest = Math.max(...row);
    const total = row.reduce((sum, value) => sum + Math.exp(value - highest), 0);
    row.forEach((value, c) => {
      const p = Math.exp(value - highest) / total;
      probabilitySum[c] = (probabilitySum[c] ?? 0) + p;
      if (c !== label) return;
      overlap[c] = (overlap[c] ?? 0) + p;
      truth[c] = (truth[c] ?? 0) + 1;
      crossEntropy -= Math.log(p);
    });
    pixels++;
  });
  const dice = [...truth].flatMap((count, c) =>
    count === 0 ? [] : [1 - (2 * (overlap[c] ?? 0)) / ((probabilitySum[c] ?? 0) + count)],
  );
  const meanDice = dice.reduce((sum, value) => sum + value, 0) / Math.max(dice.length, 1);
  return crossEntropy / Math.max(pixels, 1) + diceWeight * meanDice;
}

/** Class 3 does not occur, two pixels are ignored. */
const labels = [0, 1, 2, 0, 255, 1, 1, 2, 0, 0, 0, 1, 255, 2, 2, 1, 0, 1];

function randomLogits(scale: number): Float64Array {
  const random = new Random(7);
  return Float64Array.from({ length: 2 * 3 * 3 * classes }, () =>
    Math.fround(scale * random.normal()),
  );
}

describe('segmentationLoss', () => {
  it('equals the definition and its gradient the central differences', () => {
    const logits = randomLogits(2);
    const target = tf.tensor3d(labels, [2, 3, 3]);
    const loss = (x: tf.Tensor): tf.Tensor => segmentationLoss(x, target, 0.7).total;
    const input = tf.tensor4d(Float32Array.from(logits), shape);
    expect(loss(input).dataSync()[0]).toBeCloseTo(reference(logits, labels, 0.7), 5);

    const gradient = tf.grad(loss)(input).dataSync();
    const step = 1e-5;
    logits.forEach((value, i) => {
      const moved = (by: number): number => reference(logits.with(i, value + by), labels, 0.7);
      expect(gradient[i]).toBeCloseTo((moved(step) - moved(-step)) / (2 * step), 5);
    });
  });

  it('gives ignored pixels no gradient, whatever their logits', () => {
    const logits = randomLogits(50);
    const target = tf.tensor3d(labels, [2, 3, 3]);
    const gradient = tf
      .grad((x) => segmentationLoss(x, target, 1).total)(
        tf.tensor4d(Float32Array.from(logits), shape),
      )
      .dataSync();
    labels.forEach((label, pixel) => {
      const row = [...gradient.subarray(pixel * classes, (pixel + 1) * classes)];
      expect(row.every(Number.isFinite)).toBe(true);
      if (label === 255) expect(row).toEqual([0, 0, 0, 0]);
    });
  });

  it('is zero and finite without a labelled pixel', () => {
    const target = tf.fill([2, 3, 3], 255);
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => segmentationLoss(x, target, 1).total)(
      tf.tensor4d(Float32Array.from(randomLogits(1)), shape),
    );
    expect(value.dataSync()[0]).toBe(0);
    expect(grad.dataSync().every((entry) => entry === 0)).toBe(true);
  });

  it('turns labels that are no class into zeros', () => {
    const rows = oneHotLabels(tf.tensor3d([0, 2, 255], [1, 1, 3]), 3).dataSync();
    expect([...rows]).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0]);
  });
});
