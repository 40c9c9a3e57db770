import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { defined } from '../lib/errors.ts';
import { convolution } from './convolution.ts';
import { withGradient } from './custom-gradient.ts';
import { matrix, rank4 } from './tensors.ts';

/**
 * Sums over all pixels of the outputs of a 3x3 convolution and of their squares, without the outputs.
 *
 * The image is t = A fine + doubled(coarse), zero around it, as a feature pyramid merges its levels.
 * With R(d) = sum over p of t(p + d) t(p)^T, the outputs y(p) = sum over taps a of w(a) t(p + a) have,
 * over the whole plane,
 *
 *     sum y^2 = sum over taps a, b of w(a)^T R(a - b) w(b),     sum y = sum over a of w(a)^T sum t
 *
 * and what a picture cuts off is the ring of pixels around it, where y sees only its border lines. R
 * follows from products at the coarse size, of half as many pixels each way: there the four pixels
 * of `fine` under each one of `coarse` are channels.
 */

/** t = A fine + doubled(coarse), with A `[channels, narrow]` still to be named. */
export interface MergedParts {
  /** `[batch, height, width, narrow]`, of even height and width. */
  readonly fine: Tensor4D;
  /** `[batch, height / 2, width / 2, channels]` */
  readonly coarse: Tensor4D;
}

/** Sums over all pixels p, for the offsets d of `HALF_PLANE` (crossed: of `PLANE`). */
export interface Correlations {
  /** fine(p + d) fine(p)^T, `[narrow, narrow]`; first that of d = 0. */
  readonly fine: readonly Tensor2D[];
  /** fine(p + d) doubled(coarse)(p)^T, `[narrow, channels]` */
  readonly crossed: readonly Tensor2D[];
  /** The same of doubled(coarse), `[channels, channels]`. */
  readonly coarse: readonly Tensor2D[];
}

/** `[outputs]` each. */
export interface Moments {
  readonly sum: Tensor;
  readonly squares: Tensor;
}

/** Offset of two pixels: rows, columns. */
type Offset = readonly [number, number];

/** Of the pixels that a 3x3 filter sees together; -d follows from d by transposition. */
const PLANE: readonly Offset[] = [-2, -1, 0, 1, 2].flatMap((row) =>
  [-2, -1, 0, 1, 2].map((column): Offset => [row, column]),
);
const HALF_PLANE = PLANE.filter(([row, column]) => row > 0 || (row === 0 && column >= 0));

/** Half of the places around a pixel, with itself. */
const NEIGHBORS: readonly Offset[] = [
  [0, 0],
  [0, 1],
  [1, -1],
  [1, 0],
  [1, 1],
];

/** The four pixels under a coarse one. */
const PHASES: readonly Offset[] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
];

/**
 * For `filter` `[outputs, channels, 3, 3]`, with zeros of one pixel around the merged map of `weight`
 * A `[channels, narrow]`.
 */
export function convolutionMoments(
  parts: MergedParts,
  correlations: Correlations,
  weight: Tensor2D,
  filter: Tensor,
): Moments {
  const taps = tapsFirst(filter);
  const [, , outputs, channels] = taps.shape;
  const sumOfMap = tf.add(
    tf.mul(column(tf.sum(parts.coarse, [0, 1, 2])), 4),
    tf.matMul(weight, column(tf.sum(parts.fine, [0, 1, 2]))),
  );
  const wholeSum = tf.matMul(matrix(tf.sum(taps, [0, 1]), [outputs, channels]), sumOfMap);
  const ring = ringMoments(parts, weight, taps);
  return {
    sum: tf.sub(tf.reshape(wholeSum, [-1]), ring.sum),
    squares: tf.sub(planeSquares(mergedCorrelation(correlations, weight), taps), ring.squares),
  };
}

/** `[3, 3, outputs, channels]`, made by a product: a transposition of so short rows takes longer. */
function tapsFirst(filter: Tensor): Tensor4D {
  const [outputs = 0, channels = 0] = filter.shape;
  const rows = matrix(filter, [outputs * channels, 9]);
  return tf.reshape<tf.Rank.R4>(tf.matMul(tf.eye(9), rows, false, true), [3, 3, outputs, channels]);
}

function column(vector: Tensor): Tensor2D {
  return matrix(vector, [-1, 1]);
}

/** Sum of squares over the whole plane, of R(d) `[channels, channels]` for `HALF_PLANE`. */
function planeSquares(correlation: readonly Tensor2D[], taps: Tensor4D): Tensor {
  const [, , outputs, channels] = taps.shape;
  const terms = HALF_PLANE.map(([row, across], i) => {
    const shape = [3 - row, 3 - Math.abs(across)] as const;
    const seen = (at: Offset): Tensor2D =>
      matrix(tf.slice(taps, [...at, 0, 0], [...shape, outputs, channels]), [-1, channels]);
    const later = seen([row, Math.max(0, across)]);
    const earlier = seen([0, Math.max(0, -across)]);
    const product = tf.mul(tf.matMul(later, defined(correlation[i], 'correlation')), earlier);
    const byOutput = tf.sum(tf.reshape(product, [-1, outputs, channels]), [0, 2]);
    return i === 0 ? byOutput : tf.mul(byOutput, 2);
  });
  return tf.addN(terms);
}

/** R(d) of the merged map for `HALF_PLANE`. */
function mergedCorrelation(
  { fine, crossed, coarse }: Correlations,
  weight: Tensor2D,
): readonly Tensor2D[] {
  const crossedAt = (offset: Offset) =>
    defined(crossed[PLANE.findIndex((place) => `${place}` === `${offset}`)], 'offset');
  return HALF_PLANE.map(([row, across], i) => {
    const turned = tf.matMul(defined(fine[i], 'offset'), weight, false, true);
    return tf.addN<Tensor2D>([
      tf.matMul<Tensor2D>(weight, tf.add(turned, crossedAt([row, across]))),
      tf.matMul<Tensor2D>(crossedAt([-row, -across]), weight, true, true),
      defined(coarse[i], 'offset'),
    ]);
  });
}

/** How the pixels of two levels go together. */
export function correlate({ fine, coarse }: MergedParts): Correlations {
  const [narrow, channels] = [fine.shape[3], coarse.shape[3]];
  const below = 4 * narrow;
  const quarters = autocorrelation(tf.concat([sideBySide(fine), coarse], 3)).map((block) =>
    tf.split(block, [below, channels], 0).flatMap((half) => tf.split(half, [below, channels], 1)),
  );
  /** One quarter of R(D) for the nine places D around a pixel; R(-D) is R(D) transposed. */
  const around = (quarter: 0 | 1 | 3): Tensor => {
    const of = (which: number) => quarters.map((all) => defined(all[which], 'quarter'));
    const mirrored = of(quarter === 1 ? 2 : quarter).slice(1);
    return tf.stack([...mirrored.map((block) => tf.transpose(block)).reverse(), ...of(quarter)]);
  };
  const sums = (selection: Tensor2D, blocks: Tensor, shape: Offset): readonly Tensor2D[] => {
    const flat = matrix(blocks, [selection.shape[1], shape[0] * shape[1]]);
    return tf.unstack(tf.matMul(selection, flat)).map((block) => matrix(block, shape));
  };
  const phases = tf.reshape(around(0), [9, 4, narrow, 4, narrow]);
  const byPhases = tf.transpose(phases, [0, 1, 3, 2, 4]);
  return {
    fine: sums(selectionOf(HALF_PLANE, 4, 4), byPhases, [narrow, narrow]),
    crossed: sums(selectionOf(PLANE, 4, 1), around(1), [narrow, channels]),
    coarse: sums(selectionOf(HALF_PLANE, 1, 1), around(3), [channels, channels]),
  };
}

/**
 * `[offsets, 9 * from * to]`: which of the coarse correlations R(D)[phase', phase] belong to a fine
 * offset d. Pixel 2 P + phase moved by d is pixel 2 (P + D) + phase'. With one phase instead of four
 * the map is the same under all four.
 */
function selectionOf(offsets: readonly Offset[], from: 1 | 4, to: 1 | 4): Tensor2D {
  const width = 9 * from * to;
  const selection = new Float32Array(offsets.length * width);
  offsets.forEach((offset, i) => {
    PHASES.forEach((phase, origin) => {
      const moved = phase.map((p, axis) => p + (offset[axis] ?? 0));
      const [down = 0, across = 0] = moved.map((m) => Math.floor(m / 2) + 1);
      const [row = 0, column = 0] = moved.map((m) => m & 1);
      const left = from === 1 ? 0 : 2 * row + column;
      const right = to === 1 ? 0 : origin;
      const at = i * width + ((3 * down + across) * from + left) * to + right;
      selection[at] = (selection[at] ?? 0) + 1;
    });
  });
  return tf.tensor2d(selection, [offsets.length, width]);
}

/**
 * For each D of `NEIGHBORS` the sum over all pixels p of z(p + D) z(p)^T, `[channels, channels]`, with
 * zeros around z `[batch, height, width, channels]`.
 */
function autocorrelation(z: Tensor4D): readonly Tensor[] {
  const [batch, height, width, channels] = z.shape;
  const none: [number, number] = [0, 0];
  const stacked = withGradient(
    [z],
    () => {
      const planes = rank4(tf.transpose(z, [0, 3, 1, 2]));
      const flat = (map: Tensor) => tf.reshape<tf.Rank.R3>(map, [batch, channels, height * width]);
      const padded = tf.pad4d(planes, [none, none, [0, 1], [1, 1]]);
      const blocks = NEIGHBORS.map(([row, across]) => {
        const isSame = row === 0 && across === 0;
        const moved = tf.slice(padded, [0, 0, row, 1 + across], [batch, channels, height, width]);
        return tf.sum(tf.matMul(flat(isSame ? planes : moved), flat(planes), false, true), 0);
      });
      return { value: tf.stack(blocks), saved: [z] as const };
    },
    (dy, [map]) => [tf.conv2d(map, pairFilter(dy, channels), 1, 'same')],
  );
  return tf.unstack(stacked);
}

/**
 * `[3, 3, in, out]`: a convolution that sends every pixel the gradients of the pairs of `NEIGHBORS` that
 * it belongs to, once as the later pixel and once as the earlier one.
 */
function pairFilter(gradients: Tensor, channels: number): Tensor4D {
  const [own, ...asEarlier] = tf.unstack(gradients); // [out, in]
  const same = defined(own, 'block');
  const asLater = asEarlier.map((block) => tf.transpose(block));
  const blocks = [...asEarlier.reverse(), tf.add(same, tf.transpose(same)), ...asLater];
  const joined = tf.matMul(matrix(tf.stack(blocks), [9, channels ** 2]), tf.eye(9), true, false);
  return rank4(tf.transpose(tf.reshape(joined, [channels, channels, 3, 3]), [2, 3, 1, 0]));
}

/** `[batch, height / 2, width / 2, 4 * channels]`: the four pixels of a 2x2 block, `PHASES` outermost. */
function sideBySide(fine: Tensor4D): Tensor4D {
  const channels = fine.shape[3];
  const filter = tf.reshape<tf.Rank.R4>(tf.eye(4 * channels), [2, 2, channels, 4 * channels]);
  return tf.conv2d(fine, filter, 2, 'valid');
}

/** Sums over the ring of pixels just outside of the map, where the convolution still sees it. */
function ringMoments(parts: MergedParts, weight: Tensor2D, taps: Tensor4D): Moments {
  const [, , outputs, channels] = taps.shape;
  const none: [number, number] = [0, 0];
  const sides = [
    { axis: 1, atEnd: false, from: [2, 0], size: [1, 3], padding: 2 },
    { axis: 1, atEnd: true, from: [0, 0], size: [1, 3], padding: 2 },
    { axis: 2, atEnd: false, from: [0, 2], size: [3, 1], padding: 1 },
    { axis: 2, atEnd: true, from: [0, 0], size: [3, 1], padding: 1 },
  ] as const;
  const values = sides.map(({ axis, atEnd, from, size, padding }) => {
    const seen = tf.slice(taps, [...from, 0, 0], [...size, outputs, channels]);
    const filter = tf.transpose(tf.reshape(seen, [1, 3, outputs, channels]), [0, 1, 3, 2]);
    const line = tf.pad4d(borderLine(parts, weight, axis, atEnd), [
      none,
      none,
      [padding, padding],
      none,
    ]);
    return tf.conv2d(line, rank4(filter), 1, 'valid');
  });
  return {
    sum: tf.addN(values.map((y) => tf.sum(y, [0, 1, 2]))),
    squares: tf.addN(values.map((y) => tf.sum(tf.square(y), [0, 1, 2]))),
  };
}

/** First or last row (axis 1) or column (axis 2) of the merged map, `[batch, 1, length, channels]`. */
function borderLine(
  { fine, coarse }: MergedParts,
  weight: Tensor2D,
  axis: 1 | 2,
  atEnd: boolean,
): Tensor4D {
  const cut = (x: Tensor4D): Tensor4D => {
    const [batch, , , channels] = x.shape;
    const at = atEnd ? x.shape[axis] - 1 : 0;
    const line =
      axis === 1
        ? tf.slice(x, [0, at, 0, 0], [-1, 1, -1, -1])
        : tf.slice(x, [0, 0, at, 0], [-1, -1, 1, -1]);
    return tf.reshape(line, [batch, 1, -1, channels]);
  };
  const own = cut(fine);
  const below = cut(coarse);
  const twice = tf.tile(tf.reshape(below, [below.shape[0], -1, 1, below.shape[3]]), [1, 1, 2, 1]);
  const pixel = tf.expandDims(tf.expandDims(weight, 2), 3);
  return tf.add(convolution(own, pixel), tf.reshape(twice, [own.shape[0], 1, -1, below.shape[3]]));
}
