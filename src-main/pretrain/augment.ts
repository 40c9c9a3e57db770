import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NamedTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import {
  applyColorMap,
  cropPlanes,
  normalize,
  resample,
  shiftHue,
  solarize,
} from '../nn/image-ops.ts';
import { colorStages, hueStage } from './views.ts';

/**
 * Makes both normalised crops of every image. images [B,T,T,3] with values 0..255; `inputs` holds
 * the tensors named in `viewSpecs` -> [2B,S,S,3], view 1 of all images, then view 2.
 */
export function augmentViews(images: Tensor, inputs: NamedTensors): Tensor {
  const input = (name: string): Tensor => defined(inputs[name], name);
  const crops = cropViews(images, input('views.rows'), input('views.columns'));
  const [views = 0, , size = 0] = crops.shape;
  const pixels = tf.clipByValue(tf.reshape(crops, [views, 3, size * size]), 0, 255);
  const colored = jitter(pixels, input('views.color'), input('views.tone'));
  const blur = input('views.blur');
  const blurred = resample(tf.reshape(colored, [views, 3, size, size]), blur, blur);
  const [, flags] = tf.split(input('views.tone'), 2, 1);
  const toned = solarize(tf.reshape(blurred, [views, 3, size * size]), defined(flags, 'tone'));
  const planes = tf.reshape(normalize(toned), [views, 3, size, size]);
  return tf.transpose(planes, [0, 2, 3, 1]);
}

/** images [B,T,T,3]; rows and columns [2B,S,T] -> [2B,3,S,S], all of view 1 first. */
function cropViews(images: Tensor, rows: Tensor, columns: Tensor): Tensor {
  const viewRows = tf.split(rows, 2, 0);
  const viewColumns = tf.split(columns, 2, 0);
  return tf.concat(
    viewRows.map((view, i) => cropPlanes(images, view, defined(viewColumns[i], 'columns'))),
    0,
  );
}

/** pixels [V,3,N], color [stages,V,3,4], tone [V,2] (hue in turns first). */
function jitter(pixels: Tensor, color: Tensor, tone: Tensor): Tensor {
  const maps = tf.split(color, colorStages, 0);
  const [turns] = tf.split(tone, 2, 1);
  let result = pixels;
  maps.forEach((map, stage) => {
    if (stage === hueStage) result = shiftHue(result, defined(turns, 'tone'));
    result = applyColorMap(result, tf.squeeze(map, [0]));
  });
  return result;
}
