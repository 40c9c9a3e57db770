import { arranged, contiguous, inOrder, plain, reshapedTo, type Traced } from '../layout.ts';
import type { KernelCall, KernelTable } from './kernel.ts';
import { sizeOf } from '../shapes.ts';

/**
 * Products of stacks of matrices. A plain pair becomes one Gemm, whose transpose flags absorb both
 * tfjs's flags and the layout; stacks become MatMul.
 */
function matrixProduct(call: KernelCall): Traced {
  const a = flipped(call.input('a'), call.boolean('transposeA'));
  const b = flipped(call.input('b'), call.boolean('transposeB'));
  const batch = [a, b].map(({ shape }) => sizeOf(shape.slice(0, -2)));
  if (batch.every((n) => n === 1)) return singleProduct(call, a, b);
  const product = call.node('MatMul', [contiguous(call.graph, a), contiguous(call.graph, b)]);
  return plain(product);
}

function singleProduct(call: KernelCall, a: Traced, b: Traced): Traced {
  const rank = Math.max(a.shape.length, b.shape.length);
  const [left, right] = [a, b].map((traced) => {
    const [rows = 1, columns = 1] = traced.shape.slice(-2);
    const [rowPlace = 0, columnPlace = 0] = traced.axes.slice(-2);
    const isTransposed = rowPlace > columnPlace;
    const lead = inOrder(traced.shape.length - 2);
    const n = traced.shape.length;
    const axes = isTransposed ? [...lead, n - 1, n - 2] : inOrder(n);
    const value = arranged(call.graph, traced, axes);
    const flat = reshapedTo(call.graph, value, isTransposed ? [columns, rows] : [rows, columns]);
    return { value: flat, isTransposed };
  });
  const product = call.node('Gemm', [left?.value, right?.value], {
    transA: left?.isTransposed === true ? 1 : 0,
    transB: right?.isTransposed === true ? 1 : 0,
  });
  const ones = inOrder(rank - 2).map(() => 1);
  return plain(reshapedTo(call.graph, product, [...ones, ...product.shape]));
}

/** Swaps the last two logical axes, at no cost. */
function flipped({ value, shape, axes }: Traced, isTransposed: boolean): Traced {
  if (!isTransposed) return { value, shape, axes };
  const swap = (list: readonly number[]) => [
    ...list.slice(0, -2),
    list.at(-1) ?? 0,
    list.at(-2) ?? 0,
  ];
  return { value, shape: swap(shape), axes: swap(axes) };
}

export const matrixKernels: KernelTable = {
  BatchMatMul: matrixProduct,
};
