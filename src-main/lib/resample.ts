/**
 * Separable image maps as dense matrices: a resized, cropped, mirrored or blurred image is
 * `rows . image . columns^T`, which runs inside a compiled graph like any matrix product.
 * The arithmetic is Pillow's (Resample.c, BoxBlur.c) without its rounding to 8 bits.
 */

export type ResampleFilter = 'bicubic' | 'bilinear';

/** One axis of a crop: `outputSize` pixels made from `length` source pixels at `start`. */
export interface AxisCrop {
  readonly outputSize: number;
  /** Pixels of the whole source axis, i.e. the columns of the matrix. */
  readonly inputSize: number;
  readonly start: number;
  readonly length: number;
  readonly mirrored: boolean;
  readonly filter: ResampleFilter;
}

/**
 * Writes the antialiased crop-and-resize matrix of one axis, [outputSize, inputSize] row-major, to
 * `target` at `offset`. Only pixels of the crop contribute, as if it had been cut out first.
 */
export function writeCropMatrix(target: Float32Array, offset: number, axis: AxisCrop): void {
  const { outputSize, inputSize, start, length } = axis;
  target.fill(0, offset, offset + outputSize * inputSize);
  const scale = length / outputSize;
  const stretch = Math.max(scale, 1);
  const kernel = kernels[axis.filter];
  const support = kernel.support * stretch;
  for (let i = 0; i < outputSize; i++) {
    const center = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(length, Math.trunc(center + support + 0.5));
    const row = offset + (axis.mirrored ? outputSize - 1 - i : i) * inputSize + start;
    let total = 0;
    for (let x = first; x < end; x++) {
      const weight = kernel.weight((x - center + 0.5) / stretch);
      target[row + x] = weight;
      total += weight;
    }
    for (let x = first; x < end; x++) target[row + x] = (target[row + x] ?? 0) / total;
  }
}

/**
 * Writes the Gaussian blur of one axis as Pillow approximates it, three extended box blurs with
 * repeated edge pixels, as a matrix [size, size]. `sigma` in pixels; 0 writes the identity.
 */
export function writeBlurMatrix(
  target: Float32Array,
  offset: number,
  size: number,
  sigma: number,
): void {
  target.fill(0, offset, offset + size * size);
  if (sigma === 0) {
    for (let i = 0; i < size; i++) target[offset + i * size + i] = 1;
    return;
  }
  const box = extendedBox(sigma);
  const reach = (box.length - 1) / 2;
  const interior = convolve(convolve(box, box), box);
  for (let i = 0; i < size; i++) {
    const row = offset + i * size;
    if (i >= 3 * reach && i + 3 * reach < size) {
      target.set(interior, row + i - 3 * reach);
      continue;
    }
    // Near an edge pixels repeat in every one of the three passes: follow them one by one.
    let weights = new Map([[i, 1]]);
    for (let pass = 0; pass < 3; pass++) weights = clampedPass(weights, box, size);
    for (const [x, weight] of weights) target[row + x] = weight;
  }
}

/** The weights of one extended box blur whose threefold application has deviation `sigma`. */
function extendedBox(sigma: number): Float64Array {
  const variance = (sigma * sigma) / 3;
  const inner = Math.floor((Math.sqrt(12 * variance + 1) - 1) / 2);
  const outer = (2 * inner + 1) * (inner * (inner + 1) - 3 * variance);
  const radius = inner + outer / (6 * (variance - (inner + 1) ** 2));
  const whole = Math.floor(radius);
  const weights = new Float64Array(2 * whole + 3).fill(1 / (2 * radius + 1));
  weights[0] = (1 - (2 * whole + 1) / (2 * radius + 1)) / 2;
  weights[weights.length - 1] = weights[0];
  return weights;
}

function convolve(a: Float64Array, b: Float64Array): Float64Array {
  const result = new Float64Array(a.length + b.length - 1);
  a.forEach((x, i) => {
    b.forEach((y, j) => (result[i + j] = (result[i + j] ?? 0) + x * y));
  });
  return result;
}

function clampedPass(
  weights: ReadonlyMap<number, number>,
  box: Float64Array,
  size: number,
): Map<number, number> {
  const reach = (box.length - 1) / 2;
  const result = new Map<number, number>();
  for (const [center, weight] of weights) {
    box.forEach((tap, i) => {
      const x = Math.min(Math.max(center + i - reach, 0), size - 1);
      result.set(x, (result.get(x) ?? 0) + weight * tap);
    });
  }
  return result;
}

const kernels = {
  bicubic: {
    support: 2,
    /** Keys' cubic with a = -0.5. */
    weight(x: number): number {
      const t = Math.abs(x);
      if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
      return t < 2 ? ((t - 5) * t + 8) * t * -0.5 + 2 : 0;
    },
  },
  bilinear: {
    support: 1,
    weight(x: number): number {
      return Math.max(0, 1 - Math.abs(x));
    },
  },
} satisfies Record<ResampleFilter, { support: number; weight(x: number): number }>;
