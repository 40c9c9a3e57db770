import { sizeOf } from '../shapes.ts';
import type { GraphBuilder, Value } from '../ir.ts';
import { NCHW, arranged, inOrder, reshapedTo, type Traced } from '../layout.ts';
import type { Window } from './convolution.ts';
import { cut, paddedWith } from './shape.ts';

/** From so many output pixels an image, a product an image is faster than one of all images. */
const manyPixels = 256;

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
  const product =
    graph.provider === 'cpu' && isFineMap(window)
      ? productOfPlanes(graph, x, dy, window)
      : productOfRows(graph, x, dy, window);
  if (height * width === 1) return reshapedTo(graph, product, [outputs, inputs, 1, 1]);
  const byTap = reshapedTo(graph, product, [outputs, height, width, inputs]);
  return graph.node('Transpose', [byTap], { perm: [0, 3, 1, 2] });
}

function isFineMap({ output, strides }: Window): boolean {
  return output[0] * output[1] >= manyPixels && strides[0] === strides[1];
}

/**
 * `[out, taps * in]` in one product of channels-last rows: few pixels an image make small maps, so
 * all images are one matrix.
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
  const patches = asRows(graph, joined(graph, slices, 3));
  const rows = asRows(graph, arranged(graph, dy, inOrder(4)));
  return graph.node('Gemm', [rows, patches], { transA: 1, transB: 0 });
}

/**
 * `[out, taps * in]` by one product an image and tap, of the planes as they lie: nothing is
 * transposed, and patches of large maps do not take nine times the memory of x. With stride s a tap's
 * slice begins at one of s * s residues; those are brought side by side first, because slices without
 * steps are copied by whole lines.
 */
function productOfPlanes(graph: GraphBuilder, x: Traced, dy: Traced, window: Window): Value {
  const [stride] = window.strides;
  const [batch = 0, , , inputs = 0] = x.shape;
  const [rows, columns] = window.output;
  const pixels = rows * columns;
  const planes = reshapedTo(graph, arranged(graph, dy, NCHW), [batch, dy.shape[3] ?? 0, pixels]);
  const image = splitByResidue(graph, arranged(graph, x, NCHW), window);
  if (shiftsByRow(window, inputs)) return productOfShifted(graph, image, planes, window);
  const slices = taps(window).map(([row, column]) => {
    const [down, across] = [row * window.dilations[0], column * window.dilations[1]];
    const [top, left] = [Math.floor(down / stride), Math.floor(across / stride)];
    const residue = (down % stride) * stride + (across % stride);
    const starts = [residue * inputs, top, left];
    const ends = [(residue + 1) * inputs, top + rows, left + columns];
    return cut(graph, image, [1, 2, 3], starts, ends);
  });
  const products = inGroups(slices, Math.ceil(wideChannels / inputs)).map((group) => {
    const channels = group.length * inputs;
    const patches = reshapedTo(graph, joined(graph, group, 1), [batch, channels, pixels]);
    return productOfImages(graph, planes, patches);
  });
  return joined(graph, products, 1);
}

/** Whether rows of zeros before and behind dy cost less than a slice of x for every tap. */
function shiftsByRow({ kernel, strides, dilations, output }: Window, inputs: number): boolean {
  const isPlain = [...strides, ...dilations].every((n) => n === 1);
  return isPlain && kernel[0] > 1 && inputs >= wideChannels && output[0] >= manyRows;
}

/**
 * The same with a copy of x for each column of the filter and one of dy for each row, instead of one
 * of x for each tap: all rows of the padded x are multiplied, against dy moved down between zeros.
 */
function productOfShifted(
  graph: GraphBuilder,
  image: Value,
  planes: Value,
  { kernel: [height, width], output: [rows, columns] }: Window,
): Value {
  const [batch = 0, inputs = 0] = image.shape;
  const length = (rows + height - 1) * columns;
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

/**
 * The padded image [batch, s * s * in, height / s, width / s]: first the pixels in even rows and
 * columns (for s = 2), then those in even rows and odd columns, and so on.
 */
function splitByResidue(graph: GraphBuilder, image: Value, window: Window): Value {
  const [stride] = window.strides;
  const after = window.before.map((before, axis) => {
    const size = before + (image.shape[axis + 2] ?? 0);
    const needed = size + Math.max(0, window.after[axis] ?? 0);
    return Math.ceil(needed / stride) * stride - size;
  });
  const padded = paddedWith(graph, image, [0, 0, ...window.before], [0, 0, ...after]);
  return stride === 1 ? padded : graph.node('SpaceToDepth', [padded], { blocksize: stride });
}

/** Row and column of every tap of the filter. */
function taps({ kernel }: Window): readonly (readonly [number, number])[] {
  return inOrder(kernel[0]).flatMap((row) =>
    inOrder(kernel[1]).map((column) => [row, column] as const),
  );
}

function joined(graph: GraphBuilder, parts: readonly Value[], axis: number): Value {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : graph.node('Concat', parts, { axis });
}

/** `[pixels, channels]` of channels-last data. */
function asRows(graph: GraphBuilder, value: Value): Value {
  const channels = value.shape.at(-1) ?? 1;
  return reshapedTo(graph, value, [sizeOf(value.shape) / channels, channels]);
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
