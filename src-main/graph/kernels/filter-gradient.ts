import { defined } from '../../lib/errors.ts';
import { sizeOf } from '../shapes.ts';
import type { GraphBuilder, Value } from '../ir.ts';
import { NCHW, arranged, inOrder, openlyReshaped, reshapedTo, type Traced } from '../layout.ts';
import {
  filterMatrix,
  isWinogradWorthIt,
  partsOf,
  PLACES,
  pixelsFirst,
  tilesOf,
  transformedGradient,
  transformedInput,
  type Line,
} from '../winograd.ts';
import type { Window } from './convolution.ts';
import { cut, joined, paddedWith } from './shape.ts';

/** From so many output pixels an image, a product for each tap is faster than joining the patches. */
const manyPixels = 256;

/** Places of the logical axes N H W C where all images of a channel lie together. */
const CHANNELS_FIRST = [1, 2, 3, 0] as const;

/** From so many rows of output, rows of zeros around it cost less than slices. */
const manyRows = 32;

/** A product is joined of several taps where x has fewer channels: narrow products are slow. */
const wideChannels = 64;

/**
 * dL/dw of a convolution, OIHW, for x `[batch, height, width, in]` and dy
 * `[batch, height', width', out]`: products of dy with what its pixels see of x through each tap of
 * the filter, a slice of the padded x.
 */
export function filterGradientOf(
  graph: GraphBuilder,
  x: Traced,
  dy: Traced,
  window: Window,
): Value {
  const [height, width] = window.kernel;
  const [inputs = 0, outputs = 0] = [x.shape[3], dy.shape[3]];
  const lines = tileLines(graph, x, window);
  if (lines !== undefined && isWinogradWorthIt([outputs, inputs, height, width], lines)) {
    return gradientOfTiles(graph, x, dy, lines);
  }
  const makeProduct = productFor(graph, window, inputs);
  const product = makeProduct(graph, x, dy, window);
  if (height * width === 1) return reshapedTo(graph, product, [outputs, inputs, 1, 1]);
  const byTap = reshapedTo(graph, product, [outputs, height, width, inputs]);
  return graph.node('Transpose', [byTap], { perm: [0, 3, 1, 2] });
}

/** Rows and columns of a convolution that tiles could be made of. */
function tileLines(
  { provider }: GraphBuilder,
  x: Traced,
  { strides, dilations, output, before }: Window,
): readonly [Line, Line] | undefined {
  const isPlain = [...strides, ...dilations].every((n) => n === 1);
  if (provider !== 'cpu' || !isPlain) return undefined;
  const line = (axis: 0 | 1): Line => ({
    inputs: x.shape[axis + 1] ?? 0,
    outputs: output[axis],
    before: before[axis],
  });
  return [line(0), line(1)];
}

/**
 * The transposition of Winograd's convolution: G^T (sum over the tiles of A dy A^T . B^T x B) G, OIHW.
 */
function gradientOfTiles(
  graph: GraphBuilder,
  x: Traced,
  dy: Traced,
  lines: readonly [Line, Line],
): Value {
  const [batch = 0, height = 0, width = 0, inputs = 0] = x.shape;
  const outputs = dy.shape[3] ?? 0;
  const [rows, columns] = [tilesOf(lines[0]), tilesOf(lines[1])];
  // Flatten changes nothing: x is turned anew, instead of lying twice in memory since the forward pass.
  const seen = graph.node('Flatten', [
    openlyReshaped(graph, arranged(graph, x, NCHW), [batch * inputs, height * width]),
  ]);
  const image = graph.node('Transpose', [seen], { perm: [1, 0] });
  const gradient = pixelsFirst(graph, arranged(graph, dy, NCHW));
  const parts = partsOf(lines, batch, [outputs, inputs]).map((places) => {
    const byPlace = (tiles: Value, channels: number): Value => {
      const shape = [places.length, rows, PLACES, columns * batch, channels];
      const turned = graph.node('Transpose', [openlyReshaped(graph, tiles, shape)], {
        perm: [0, 2, 1, 3, 4],
      });
      const count = places.length * PLACES;
      return openlyReshaped(graph, turned, [count, rows * columns * batch, channels]);
    };
    const ofImage = byPlace(transformedInput(graph, image, lines, places), inputs);
    const ofGradient = byPlace(transformedGradient(graph, gradient, lines, places), outputs);
    const turned = graph.node('Transpose', [ofGradient], { perm: [0, 2, 1] });
    const sums = graph.node('MatMul', [turned, ofImage]);
    const flat = openlyReshaped(graph, sums, [places.length * PLACES, outputs * inputs]);
    return graph.node('Gemm', [flat, filterMatrix(graph, places)], { transA: 1, transB: 0 });
  });
  const sum = parts.reduce((total, part) => graph.node('Add', [total, part]));
  return reshapedTo(graph, sum, [outputs, inputs, 3, 3]);
}

/** Which of the ways below is the fastest. */
function productFor(
  { provider }: GraphBuilder,
  window: Window,
  inputs: number,
): typeof productOfRows {
  const { kernel, strides, dilations, before, after, output } = window;
  const isFineMap = sizeOf(output) >= manyPixels && strides[0] === strides[1];
  if (provider !== 'cpu' || !isFineMap) return productOfRows;
  const isPadded = [...before, ...after].some((n) => n > 0);
  if (sizeOf(kernel) === 1 && !isPadded) return productOfPixels;
  // Where rows of zeros before and behind dy cost less than a slice of x for every tap.
  const isPlain = [...strides, ...dilations].every((n) => n === 1);
  const isShifted = isPlain && kernel[0] > 1 && inputs >= wideChannels && output[0] >= manyRows;
  return isShifted ? productOfShifted : productOfPlanes;
}

/**
 * `[out, taps * in]` in one product of channels-last rows: few pixels an image make small maps, whose
 * patches are joined.
 */
function productOfRows(graph: GraphBuilder, x: Traced, dy: Traced, window: Window): Value {
  const image = arranged(graph, x, inOrder(4));
  const padded = paddedWith(
    graph,
    image,
    [0, ...window.before, 0],
    [0, ...window.after.map((n) => Math.max(0, n)), 0],
  );
  const slices = taps(window).map((tap) => {
    const starts = tap.map((place, axis) => place * (window.dilations[axis] ?? 1));
    const ends = starts.map(
      (start, axis) => start + ((window.output[axis] ?? 0) - 1) * (window.strides[axis] ?? 1) + 1,
    );
    return cut(graph, padded, [1, 2], starts, ends, window.strides);
  });
  const patches = joined(graph, slices, 3);
  const channels = patches.shape[3] ?? 1;
  const rows = reshapedTo(graph, patches, [sizeOf(patches.shape) / channels, channels]);
  return graph.node('Gemm', [channelsFirst(graph, dy), rows], { transA: 0, transB: 0 });
}

/** `[out, in]` of a filter of one pixel without padding: a product an image, of the planes as they lie. */
function productOfPixels(graph: GraphBuilder, x: Traced, dy: Traced, window: Window): Value {
  const image = arranged(graph, x, NCHW);
  const seen = cut(graph, image, [2, 3], [0, 0], image.shape.slice(2), window.strides);
  const [planes, patches] = [arranged(graph, dy, NCHW), seen].map((value) => {
    const [batch = 0, channels = 0] = value.shape;
    return reshapedTo(graph, value, [batch, channels, sizeOf(window.output)]);
  });
  return productOfImages(graph, defined(planes, 'dy'), defined(patches, 'x'));
}

/**
 * `[out, taps * in]` by a product of each tap over the pixels of all images, channel by channel: maps
 * lie as `[channels, batch, height, width]`, and patches of large maps do not take nine times the
 * memory of x. With stride s a tap's slice begins at one of s * s residues; those are brought side by
 * side first, because slices without steps are copied by whole lines.
 */
function productOfPlanes(graph: GraphBuilder, x: Traced, dy: Traced, window: Window): Value {
  const [stride] = window.strides;
  const [batch = 0, , , inputs = 0] = x.shape;
  const [rows, columns] = window.output;
  const image = splitByResidue(graph, arranged(graph, x, CHANNELS_FIRST), window);
  const slices = taps(window).map(([row, column]) => {
    const [down, across] = [row * window.dilations[0], column * window.dilations[1]];
    const [top, left] = [Math.floor(down / stride), Math.floor(across / stride)];
    const residue = (down % stride) * stride + (across % stride);
    const starts = [residue * batch, top, left];
    const ends = [(residue + 1) * batch, top + rows, left + columns];
    return cut(graph, image, [1, 2, 3], starts, ends);
  });
  const planes = channelsFirst(graph, dy);
  const products = inGroups(slices, Math.ceil(wideChannels / inputs)).map((group) => {
    const patches = joined(graph, group, 0);
    return productOfChannels(graph, planes, patches);
  });
  return joined(graph, products, 1);
}

/**
 * The same with a copy of x for each column of the filter and one of dy for each row, instead of one
 * of x for each tap: all rows of the padded x are multiplied, against dy moved down between zeros.
 * With so many pixels an image, products image by image need no other order of the maps.
 */
function productOfShifted(graph: GraphBuilder, x: Traced, dy: Traced, window: Window): Value {
  const [height, width] = window.kernel;
  const [rows, columns] = window.output;
  const [batch = 0, , , inputs = 0] = x.shape;
  const length = (rows + height - 1) * columns;
  const image = paddedMap(graph, arranged(graph, x, NCHW), window);
  const planes = reshapedTo(graph, arranged(graph, dy, NCHW), [
    batch,
    dy.shape[3] ?? 0,
    rows * columns,
  ]);
  const byColumn = inOrder(width).map((left) => {
    const seen = cut(graph, image, [3], [left], [left + columns]);
    return reshapedTo(graph, seen, [batch, inputs, length]);
  });
  const byRow = inOrder(height).map((top) =>
    paddedWith(graph, planes, [0, 0, top * columns], [0, 0, (height - 1 - top) * columns]),
  );
  const products = byRow.flatMap((moved) =>
    byColumn.map((seen) => productOfImages(graph, moved, seen)),
  );
  return joined(graph, products, 1);
}

/** `[out, in]` of `[batch, out, pixels]` and `[batch, in, pixels]`, summed over the images. */
function productOfImages(graph: GraphBuilder, planes: Value, patches: Value): Value {
  // onnxruntime multiplies by the transposed patches without moving them.
  const turned = graph.node('Transpose', [patches], { perm: [0, 2, 1] });
  const byImage = graph.node('MatMul', [planes, turned]);
  return graph.node('ReduceSum', [byImage, graph.integers([0])], { keepdims: 0 });
}

/** `[out, in]` of values whose first axis are their channels, summed over all others. */
function productOfChannels(graph: GraphBuilder, planes: Value, patches: Value): Value {
  const [left, right] = [planes, patches].map((value) => {
    const channels = value.shape[0] ?? 1;
    return reshapedTo(graph, value, [channels, sizeOf(value.shape) / channels]);
  });
  return graph.node('Gemm', [left, right], { transA: 0, transB: 1 });
}

/** `[channels, batch * height * width]`. */
function channelsFirst(graph: GraphBuilder, map: Traced): Value {
  const channels = map.shape[3] ?? 1;
  return reshapedTo(graph, arranged(graph, map, CHANNELS_FIRST), [
    channels,
    sizeOf(map.shape) / channels,
  ]);
}

/**
 * The padded image `[in, s * s * batch, height / s, width / s]`: first the pixels in even rows and
 * columns (for s = 2), then those in even rows and odd columns, and so on.
 */
function splitByResidue(graph: GraphBuilder, image: Value, window: Window): Value {
  const [stride] = window.strides;
  const padded = paddedMap(graph, image, window);
  return stride === 1 ? padded : graph.node('SpaceToDepth', [padded], { blocksize: stride });
}

/** The padding of the window around the last two axes, up to a multiple of the stride. */
function paddedMap(graph: GraphBuilder, image: Value, window: Window): Value {
  const [stride] = window.strides;
  const after = window.before.map((before, axis) => {
    const size = before + (image.shape[axis + 2] ?? 0);
    const needed = size + Math.max(0, window.after[axis] ?? 0);
    return Math.ceil(needed / stride) * stride - size;
  });
  return paddedWith(graph, image, [0, 0, ...window.before], [0, 0, ...after]);
}

/** Row and column of every tap of the filter. */
function taps({ kernel }: Window): readonly (readonly [number, number])[] {
  return inOrder(kernel[0]).flatMap((row) =>
    inOrder(kernel[1]).map((column) => [row, column] as const),
  );
}

/** Parts of nearly equal length, none longer than `size`. */
function inGroups<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / size);
  return inOrder(count).map((i) =>
    items.slice(
      Math.round((i * items.length) / count),
      Math.round(((i + 1) * items.length) / count),
    ),
  );
}
