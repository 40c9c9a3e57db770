import type { ModelClass } from './classes.ts';
import { OverlaySink } from './sinks.ts';
import type { RgbImage } from './tiles.ts';

/**
 * A picture with a class map painted over it, as `predict` paints its overlays; pixels of no class
 * (255) stay as they are.
 */
export async function paintClasses(
  image: RgbImage,
  classMap: Uint8Array,
  classes: readonly ModelClass[],
  options: { readonly opacity: number; readonly maxSidePx: number },
): Promise<RgbImage> {
  const probabilities = new Float32Array(classMap.length * classes.length);
  classMap.forEach((value, pixel) => {
    if (value < classes.length) probabilities[pixel * classes.length + value] = 1;
  });
  let painted = image;
  const sink = new OverlaySink(image, classes, {
    ...options,
    save: (picture) => {
      painted = picture;
      return Promise.resolve();
    },
  });
  await sink.write({ topPx: 0, rows: image.heightPx, probabilities, rgb: image.data });
  await sink.finish();
  return painted;
}

/**
 * A picture brightened so that a dark one can be judged by eye: its 99.5 percentile becomes white.
 * For showing only; no number is computed from it.
 */
export function brightened(image: RgbImage): RgbImage {
  const counts = new Float64Array(256);
  for (const value of image.data) counts[value] = (counts[value] ?? 0) + 1;
  let level = 255;
  for (let above = 0; level > 32; level--) {
    above += counts[level] ?? 0;
    if (above > 0.005 * image.data.length) break;
  }
  return { ...image, data: image.data.map((value) => Math.min(255, (value * 255) / level)) };
}
