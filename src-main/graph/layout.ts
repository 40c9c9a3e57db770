import { OPEN, type GraphBuilder, type Value } from './ir.ts';
import { sizeOf } from './shapes.ts';

/**
 * A traced tensor: what tfjs sees (`shape`, logical axes) and where it lies. `axes[i]` is the axis of
 * `value` that holds logical axis i. Where `value` has size 1 and `shape` has more, the tensor is
 * broadcast but not yet expanded. Transposes and broadcasts thus cost nothing until a kernel needs
 * real data, and tfjs's NHWC and HWIO need no transposes around ONNX's NCHW and OIHW.
 */
export interface Traced {
  readonly value: Value;
  readonly shape: readonly number[];
  readonly axes: readonly number[];
}

/** Places of the logical axes N H W C in an NCHW value. */
export const NCHW = [0, 2, 3, 1] as const;
/** Places of the logical axes H W I O in an OIHW value. */
export const OIHW = [2, 3, 1, 0] as const;

/** The tensor of a value whose axes stand in logical order. */
export function plain(value: Value): Traced {
  return { value, shape: value.shape, axes: inOrder(value.shape.length) };
}

/** The tensor of a value with its logical axes at `axes`. */
export function placed(value: Value, axes: readonly number[]): Traced {
  return { value, shape: axes.map((axis) => value.shape[axis] ?? 0), axes };
}

export function inOrder(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i);
}

/** Whether some logical axis is broadcast but not expanded. */
export function isLazy({ value, shape, axes }: Traced): boolean {
  return axes.some((axis, i) => value.shape[axis] !== shape[i]);
}

/** The same tensor with every broadcast axis expanded. */
export function expanded(graph: GraphBuilder, traced: Traced): Traced {
  if (!isLazy(traced)) return traced;
  const { value, shape, axes } = traced;
  const full = [...value.shape];
  axes.forEach((axis, i) => (full[axis] = shape[i] ?? 0));
  return { ...traced, value: graph.node('Expand', [value, graph.integers(full)]) };
}

/** A value with the whole tensor, its logical axes at `axes`. */
export function arranged(graph: GraphBuilder, traced: Traced, axes: readonly number[]): Value {
  return reordered(graph, expanded(graph, traced), axes).value;
}

/** A value with the whole tensor, its logical axes in order. */
export function contiguous(graph: GraphBuilder, traced: Traced): Value {
  return arranged(graph, traced, inOrder(traced.axes.length));
}

/** Moves the logical axes to the places `axes`, without expanding. */
export function reordered(graph: GraphBuilder, traced: Traced, axes: readonly number[]): Traced {
  const { value, shape } = traced;
  const permutation = axes.map(() => 0);
  axes.forEach((place, logical) => (permutation[place] = traced.axes[logical] ?? 0));
  if (permutation.every((axis, i) => axis === i)) return { value, shape, axes };
  const target = permutation.map((axis) => value.shape[axis] ?? 0);
  const moved = permutation.filter((axis) => value.shape[axis] !== 1);
  const isOnlyOnes = moved.every((axis, i) => i === 0 || axis > (moved[i - 1] ?? -1));
  if (isOnlyOnes) return { value: reshapedTo(graph, value, target), shape, axes };
  const turned = isFewPlanes(graph, value, permutation)
    ? planesAsChannels(graph, value, target)
    : graph.node('Transpose', [value], { perm: permutation });
  return { value: turned, shape, axes };
}

/** Whether a large picture of a few planes, such as the scores of classes, gets its channels last. */
export function isFewPlanes(
  graph: GraphBuilder,
  value: Value,
  permutation: readonly number[],
): boolean {
  const [batch = 0, channels = 0, height = 0, width = 0] = value.shape;
  return (
    graph.provider === 'cpu' &&
    value.type === 'float32' &&
    `${permutation}` === '0,2,3,1' &&
    batch === 1 &&
    channels <= 16 &&
    height * width >= 2 ** 14
  );
}

/**
 * [1, channels, height, width] with its channels last, by a product with the identity: onnxruntime's
 * transpose moves such planes one number after another on one thread, a product uses all of them.
 */
function planesAsChannels(graph: GraphBuilder, value: Value, target: readonly number[]): Value {
  const [, channels = 0, height = 0, width = 0] = value.shape;
  const ones = Float32Array.from({ length: channels ** 2 }, (_, i) =>
    i % (channels + 1) === 0 ? 1 : 0,
  );
  const identity = graph.constant('float32', [channels, channels], ones);
  const planes = reshapedTo(graph, value, [channels, height * width]);
  const product = graph.node('Gemm', [planes, identity], { transA: 1, transB: 0 });
  return reshapedTo(graph, product, target);
}

/** Reshapes a value; constants are reshaped at once. */
export function reshapedTo(graph: GraphBuilder, value: Value, shape: readonly number[]): Value {
  if (`${value.shape}` === `${shape}`) return value;
  if (value.constant !== undefined) return graph.constant(value.type, shape, value.constant);
  return graph.node('Reshape', [value, graph.integers(shape)]);
}

/**
 * A reshape of which onnxruntime learns only in the run. It keeps a dead buffer for later values of the
 * shape that it had; what is large and short-lived, as between transforms, had better have none.
 */
export function openlyReshaped(graph: GraphBuilder, value: Value, shape: readonly number[]): Value {
  return graph.node('Reshape', [value, graph.integers(shape)], { [OPEN]: 1 });
}

/**
 * Brings the operands of an element-wise operator to one order of axes, so that their values
 * broadcast against each other. The largest operand decides the order and is not moved; among equals
 * an NCHW activation wins, then plain order. Pictures that meet numbers per channel become NCHW.
 * @returns the values and the places of the logical axes of the result
 */
export function aligned(
  graph: GraphBuilder,
  operands: readonly Traced[],
): { readonly values: readonly Value[]; readonly axes: readonly number[] } {
  const rank = Math.max(0, ...operands.map(({ shape }) => shape.length));
  const leading = leadingOrder(operands.filter(({ shape }) => shape.length === rank));
  const axes = isShortLoop(operands, leading) ? NCHW : leading;
  // Beside a last axis of size 1 onnxruntime's CPU provider would broadcast a scalar number by number.
  const endsInOne = operands.some(
    ({ value }) => value.shape.at(-1) === 1 && sizeOf(value.shape) > 1,
  );
  const scalarShape = endsInOne ? axes.map(() => 1) : [];
  const values = operands.map((operand) => {
    if (sizeOf(operand.value.shape) === 1 && operand.value.shape.length <= rank) {
      return reshapedTo(graph, operand.value, scalarShape);
    }
    return reordered(graph, widened(graph, operand, rank), axes).value;
  });
  const isScalar = values.every(({ shape }) => shape.length === 0);
  const [first] = values;
  return isScalar && first !== undefined && rank > 0
    ? {
        values: [
          reshapedTo(
            graph,
            first,
            axes.map(() => 1),
          ),
          ...values.slice(1),
        ],
        axes,
      }
    : { values, axes };
}

function leadingOrder(candidates: readonly Traced[]): readonly number[] {
  const preference = ({ value, axes }: Traced): number => {
    const bonus = `${axes}` === `${NCHW}` ? 0.2 : axes.every((axis, i) => axis === i) ? 0.1 : 0;
    return sizeOf(value.shape) + bonus;
  };
  const [first, ...rest] = candidates;
  if (first === undefined) return [];
  return rest.reduce((best, next) => (preference(next) > preference(best) ? next : best), first)
    .axes;
}

/**
 * Whether pictures with channels last meet numbers per channel. An operator then runs in loops as
 * long as there are channels, 3 in a picture; with channels first it runs in loops over pixels.
 */
function isShortLoop(operands: readonly Traced[], leading: readonly number[]): boolean {
  const isPicture = ({ shape }: Traced): boolean => {
    const [channels = 0, pixels = 0] = [shape[3], sizeOf(shape.slice(0, 3))];
    return shape.length === 4 && channels > 1 && channels <= 4 && pixels > 16 * channels;
  };
  const isPerChannel = ({ value, shape }: Traced): boolean =>
    sizeOf(value.shape) > 1 && sizeOf(value.shape) === shape.at(-1);
  return (
    leading.length === 4 &&
    leading.every((axis, i) => axis === i) &&
    operands.some(isPicture) &&
    operands.some(isPerChannel)
  );
}

/** Puts axes of size 1 in front until the tensor has `rank` axes. */
function widened(graph: GraphBuilder, traced: Traced, rank: number): Traced {
  const extra = rank - traced.axes.length;
  if (extra === 0) return traced;
  const ones = inOrder(extra).map(() => 1);
  return {
    value: reshapedTo(graph, traced.value, [...ones, ...traced.value.shape]),
    shape: [...ones, ...traced.shape],
    axes: [...inOrder(extra), ...traced.axes.map((axis) => axis + extra)],
  };
}
