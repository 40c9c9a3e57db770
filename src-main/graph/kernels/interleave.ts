import { defined } from '../../lib/errors.ts';
import type { GraphBuilder, Value } from '../ir.ts';
import { inOrder, openlyReshaped, reshapedTo } from '../layout.ts';
import { cut, joined } from './shape.ts';

/** The maps `[batch, channels, height / s, width / s]` that a map was interleaved of, row by row. */
type Residues = readonly (Value | undefined)[];

/** What was interleaved, so that a sum of two such maps can be made before. */
const interleavings = new WeakMap<Value, Residues>();

/**
 * The map `[batch, channels, ...size]` whose pixel (s i + a, s j + b) is pixel (i, j) of residue s a + b; zero
 * where a residue is undefined. By a product that moves the numbers of a line: onnxruntime's depth-to-space
 * works number by number on one thread.
 */
export function interleaved(
  graph: GraphBuilder,
  residues: Residues,
  size: readonly [height: number, width: number],
): Value {
  const stride = Math.sqrt(residues.length);
  const present = inOrder(residues.length).filter((i) => residues[i] !== undefined);
  const [batch = 0, channels = 0, rows = 0, columns = 0] = defined(
    residues.find((residue) => residue !== undefined),
    'residue',
  ).shape;
  const lines = batch * channels * rows;
  const parts = residues.flatMap((residue) =>
    residue === undefined ? [] : [openlyReshaped(graph, residue, [lines, 1, columns])],
  );
  // Where all are there, each line of the result is made of its own residues only.
  const isWhole = present.length === residues.length;
  const [count, picks] = isWhole ? [stride, inOrder(stride)] : [1, present];
  const places = (residues.length / count) * columns;
  const matrix = [lines * count, picks.length * columns];
  const moves = movesOf(graph, picks, { stride, columns, places });
  const product = graph.node(
    'Gemm',
    [openlyReshaped(graph, joined(graph, parts, 1), matrix), moves],
    { transA: 0, transB: 0 },
  );
  const whole = reshapedTo(graph, product, [batch, channels, rows * stride, columns * stride]);
  const map = cut(graph, whole, [2, 3], [0, 0], size);
  interleavings.set(map, residues);
  return map;
}

/** The sum of two interleaved maps of one size, interleaved once; undefined of others. */
export function sumOfInterleaved(graph: GraphBuilder, a: Value, b: Value): Value | undefined {
  const [left, right] = [interleavings.get(a), interleavings.get(b)];
  const [, , height = 0, width = 0] = a.shape;
  if (left?.length !== right?.length || `${a.shape}` !== `${b.shape}`) return undefined;
  const sums = left?.map((residue, i) => {
    const other = right?.[i];
    return residue && other ? graph.node('Add', [residue, other]) : (residue ?? other);
  });
  return sums && interleaved(graph, sums, [height, width]);
}

/** Ones where column j of a pick goes: `[picks * columns, places]`. */
function movesOf(
  graph: GraphBuilder,
  picks: readonly number[],
  {
    stride,
    columns,
    places,
  }: { readonly stride: number; readonly columns: number; readonly places: number },
): Value {
  const values = new Float32Array(picks.length * columns * places);
  picks.forEach((pick, i) => {
    const [row, residue] = [Math.floor(pick / stride), pick % stride];
    for (let column = 0; column < columns; column++) {
      const target = row * stride * columns + stride * column + residue;
      values[(i * columns + column) * places + target] = 1;
    }
  });
  return graph.constant('float32', [picks.length * columns, places], values);
}
