import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { lumaWeights } from '../lib/color-map.ts';

/**
 * Image operations on tfjs ops for use inside compiled steps. Images here are planes:
 * [batch, 3, height, width] or, for colours, [batch, 3, pixels], with values 0..255.
 */

/** Images [B,H,W,3] (0..255) as planes [B,3,H,W]. */
export function toPlanes(images: Tensor): Tensor {
  return tf.transpose(images, [0, 3, 1, 2]);
}

/**
 * `rows . image . columns^T` for every plane: crop, resize, mirror or blur.
 * planes [B,C,H,W], rows [B,h,H], columns [B,w,W] -> [B,C,h,w].
 */
export function resample(planes: Tensor, rows: Tensor, columns: Tensor): Tensor {
  const [batch = 0, channels = 0, , width = 0] = planes.shape;
  const [, tallPx = 0] = rows.shape;
  const [, widePx = 0] = columns.shape;
  // Repeated and folded, not broadcast: tfjs's own matMul pairs broadcast batches wrongly.
  const tall = tf.matMul(tf.tile(tf.expandDims(rows, 1), [1, channels, 1, 1]), planes);
  const folded = tf.reshape(tall, [batch, channels * tallPx, width]);
  return tf.reshape(tf.matMul(folded, columns, false, true), [batch, channels, tallPx, widePx]);
}

/** The same from images [B,H,W,3]; only the part that the crop's rows are made of is moved. */
export function cropPlanes(images: Tensor, rows: Tensor, columns: Tensor): Tensor {
  const [batch = 0, height = 0, width = 0] = images.shape;
  const [, tallPx = 0] = rows.shape;
  const [, widePx = 0] = columns.shape;
  const tall = tf.matMul(rows, tf.reshape(images, [batch, height, width * 3]));
  const planes = tf.transpose(tf.reshape(tall, [batch, tallPx, width, 3]), [0, 3, 1, 2]);
  const folded = tf.reshape(planes, [batch, 3 * tallPx, width]);
  return tf.reshape(tf.matMul(folded, columns, false, true), [batch, 3, tallPx, widePx]);
}

/** Swaps rows and columns of the images whose flag [B] is 1; with mirroring, all quarter turns. */
export function transposeWhere(planes: Tensor, flags: Tensor): Tensor {
  const chosen = tf.reshape(flags, [-1, 1, 1, 1]);
  const turned = tf.transpose(planes, [0, 1, 3, 2]);
  return tf.add(planes, tf.mul(tf.sub(turned, planes), chosen));
}

/**
 * One colour operation per image, clipped to 0..255: every pixel becomes `matrix . rgb`, plus the
 * image's mean luma times `meanWeight`. pixels [B,3,N], map [B,3,4] (matrix, then meanWeight).
 */
export function applyColorMap(pixels: Tensor, map: Tensor): Tensor {
  const [matrix, meanWeight] = tf.split(map, [3, 1], 2);
  if (matrix === undefined || meanWeight === undefined) throw new Error('Malformed colour map');
  const luma = tf.tensor([...lumaWeights], [1, 3, 1]);
  const meanLuma = tf.sum(tf.mul(tf.mean(pixels, 2, true), luma), 1, true); // [B,1,1]
  const mapped = tf.add(tf.matMul(matrix, pixels), tf.mul(meanWeight, meanLuma));
  return tf.clipByValue(mapped, 0, 255);
}

/**
 * Turns the hue of every image by `turns` [B] (1 = full circle) in HSV; value and saturation stay.
 * pixels [B,3,N]. Uses channel = V - C max(0, min(k, 4 - k, 1)) with k = (n + 6 hue) mod 6 and
 * n = 5, 3, 1 for red, green, blue.
 */
export function shiftHue(pixels: Tensor, turns: Tensor): Tensor {
  const [red, green, blue] = tf.split(pixels, 3, 1); // [B,1,N]
  if (red === undefined || green === undefined || blue === undefined) {
    throw new Error('Hue needs three channels');
  }
  const value = tf.max(pixels, 1, true);
  const chroma = tf.sub(value, tf.min(pixels, 1, true));
  const scale = tf.maximum(chroma, 1e-6);
  const fromGreen = tf.add(tf.div(tf.sub(blue, red), scale), 2);
  const fromBlue = tf.add(tf.div(tf.sub(red, green), scale), 4);
  const sextant = tf.where(
    tf.greaterEqual(red, value),
    tf.div(tf.sub(green, blue), scale),
    tf.where(tf.greaterEqual(green, value), fromGreen, fromBlue),
  ); // -1..5
  const shifted = tf.add(sextant, tf.mul(tf.reshape(turns, [-1, 1, 1]), 6));
  const k = tf.add(shifted, tf.tensor([5, 3, 1], [1, 3, 1]));
  const wrapped = tf.sub(k, tf.mul(tf.floor(tf.div(k, 6)), 6));
  const ramp = tf.clipByValue(tf.minimum(wrapped, tf.sub(4, wrapped)), 0, 1);
  return tf.sub(value, tf.mul(chroma, ramp));
}

/** Inverts values of 128 and above in the images whose flag [B] is 1. pixels [B,3,N]. */
export function solarize(pixels: Tensor, flags: Tensor): Tensor {
  const bright = tf.cast(tf.greaterEqual(pixels, 127.5), 'float32');
  const chosen = tf.mul(bright, tf.reshape(flags, [-1, 1, 1]));
  return tf.add(pixels, tf.mul(chosen, tf.sub(255, tf.mul(pixels, 2))));
}

/** (x / 255 - mean) / std with the ImageNet constants. pixels [B,3,N], values 0..255. */
export function normalize(pixels: Tensor): Tensor {
  const scale = imagenetStd.map((std) => 1 / (255 * std));
  const shift = imagenetMean.map((mean, i) => -mean / (imagenetStd[i] ?? 1));
  return tf.add(tf.mul(pixels, tf.tensor(scale, [1, 3, 1])), tf.tensor(shift, [1, 3, 1]));
}

export const imagenetMean: readonly [number, number, number] = [0.485, 0.456, 0.406];
export const imagenetStd: readonly [number, number, number] = [0.229, 0.224, 0.225];
