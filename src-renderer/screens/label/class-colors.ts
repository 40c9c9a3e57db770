import type { LabelClass } from '../../../src-main/contract/classes.ts';
import type { ClassColors } from './class-pixels.ts';

/** The first class, mostly the background, lies over most of the picture: it only tints it. */
const firstAlpha = 90;

/** The color of each class as a word of an ImageData, by class value. */
export function classColors(classes: readonly LabelClass[]): ClassColors {
  const colors = new Uint32Array(256);
  const bytes = new Uint8Array(colors.buffer);
  for (const { value, classIndex, color } of classes) {
    const rgb = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
    bytes.set([...rgb, classIndex === 0 ? firstAlpha : 255], value * 4); // the order of bytes, whatever the machine
  }
  return colors;
}
