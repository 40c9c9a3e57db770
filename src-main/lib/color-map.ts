/**
 * Colour operations as 3x4 maps: three columns mix red, green and blue, the fourth weighs the mean
 * luma of the image (only contrast needs it). Each is Pillow's `blend(d, x, factor)` =
 * d + factor (x - d), with d = 0, the mean luma, or the pixel's own luma.
 */
export type ColorOperation = 'brightness' | 'contrast' | 'saturation';

/** Numbers in one map, row-major [3, 4]. */
export const colorMapLength = 12;

/** Rec. 601 luma in Pillow's fixed point: (19595 R + 38470 G + 7471 B) / 65536. */
export const lumaWeights: readonly [number, number, number] = [
  19595 / 65536,
  38470 / 65536,
  7471 / 65536,
];

/** Writes the map of one operation; factor 1 changes nothing, saturation 0 is greyscale. */
export function writeColorMap(
  target: Float32Array,
  offset: number,
  operation: ColorOperation,
  factor: number,
): void {
  const rest = 1 - factor;
  for (let row = 0; row < 3; row++) {
    const start = offset + row * 4;
    lumaWeights.forEach((luma, column) => {
      const own = column === row ? factor : 0;
      target[start + column] = operation === 'saturation' ? own + rest * luma : own;
    });
    target[start + 3] = operation === 'contrast' ? rest : 0;
  }
}

/** Writes the map that changes nothing. */
export function writeIdentityColorMap(target: Float32Array, offset: number): void {
  writeColorMap(target, offset, 'brightness', 1);
}
