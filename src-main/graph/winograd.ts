import type { GraphBuilder, Value } from './ir.ts';
import { openlyReshaped, reshapedTo } from './layout.ts';

/**
 * Convolutions of 3x3 filters by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray 2016, "Fast
 * algorithms for convolutional neural networks"), which multiplies 36 instead of 144 times for 4x4
 * outputs of a channel:
 *
 *     Y = A^T [(G g G^T) . (B^T d B)] A      for every tile d of 6x6 pixels, by steps of 4
 *
 * The three transforms are linear and act on rows and columns apart, so they are products with
 * constant matrices that hold the padding and all tiles of a line. Between them stand 36 products, one
 * for each place in a tile: `[tiles, in]` by `[in, out]`. Maps lie with their pixels first,
 * `[height, width, batch * channels]`; a transformed map is `[6, tile rows, 6, tile columns * batch,
 * channels]`.
 */

/** Pixels of a map along one axis, and of what a convolution makes of it. */
export interface Line {
  readonly inputs: number;
  readonly outputs: number;
  /** Zeros before the first pixel. */
  readonly before: number;
}

/** Outputs of a tile along one axis. */
const TILE = 4;
/** Pixels under a tile along one axis, and its transformed values. */
export const PLACES = 6;

const INPUT = [
  [4, 0, -5, 0, 1, 0],
  [0, -4, -4, 1, 1, 0],
  [0, 4, -4, -1, 1, 0],
  [0, -2, -1, 2, 1, 0],
  [0, 2, -1, -2, 1, 0],
  [0, 4, 0, -5, 0, 1],
] as const; // B^T
const FILTER = [
  [1 / 4, 0, 0],
  [-1 / 6, -1 / 6, -1 / 6],
  [-1 / 6, 1 / 6, -1 / 6],
  [1 / 24, 1 / 12, 1 / 6],
  [1 / 24, -1 / 12, 1 / 6],
  [0, 0, 1],
] as const; // G
const OUTPUT = [
  [1, 1, 1, 1, 1, 0],
  [0, 1, -1, 2, -2, 0],
  [0, 1, 1, 4, 4, 0],
  [0, 1, -1, 8, -8, 1],
] as const; // A^T

/** Tiles that cover a line of outputs. */
export function tilesOf({ outputs }: Line): number {
  return Math.ceil(outputs / TILE);
}

/**
 * Whether a convolution gains: its filter `[out, in, height, width]` has so many channels, and its map so
 * many pixels, that the fewer multiplications outweigh the transforms.
 */
export function isWinogradWorthIt(
  [outputs = 0, inputs = 0, ...kernel]: readonly number[],
  [rows, columns]: readonly [Line, Line],
): boolean {
  const multiplications = PLACES ** 2 * tilesOf(rows) * tilesOf(columns);
  const direct = 9 * rows.outputs * columns.outputs;
  return (
    `${kernel}` === '3,3' &&
    Math.min(outputs, inputs) >= minChannels &&
    multiplications <= maxShare * direct
  );
}

/**
 * The places in a tile's rows, in parts that are worked on one after another, so that no transformed
 * map or filter takes more than `maxBytes`.
 */
export function partsOf(
  [rows, columns]: readonly [Line, Line],
  batch: number,
  filter: readonly number[],
): number[][] {
  const [outputs = 0, inputs = 0] = filter;
  const ofMap = tilesOf(rows) * tilesOf(columns) * batch * Math.max(outputs, inputs);
  const bytes = 4 * PLACES ** 2 * Math.max(ofMap, outputs * inputs);
  const count = [1, 2, 3].find((n) => bytes / n <= maxBytes) ?? PLACES;
  const size = PLACES / count;
  return indices(count).map((part) => indices(size).map((i) => part * size + i));
}

/** A map with its pixels first, `[height * width, batch * channels]`, of one in NCHW. */
export function pixelsFirst(graph: GraphBuilder, map: Value): Value {
  const [batch = 0, channels = 0, height = 0, width = 0] = map.shape;
  const planes = openlyReshaped(graph, map, [batch * channels, height * width]);
  return graph.node('Transpose', [planes], { perm: [1, 0] });
}

/**
 * B^T d B of all tiles of a map `[height * width, all]`, for some places in the tiles' rows:
 * `[places * tile rows, 6 * tile columns, all]`.
 */
export function transformedInput(
  graph: GraphBuilder,
  map: Value,
  [rows, columns]: readonly [Line, Line],
  places: readonly number[],
): Value {
  return transformed(graph, map, inputMatrix(rows, places), inputMatrix(columns, allPlaces));
}

/** The transposition of `outputOfTiles`: A dy A^T of gradients `[height * width, all]`. */
export function transformedGradient(
  graph: GraphBuilder,
  dy: Value,
  [rows, columns]: readonly [Line, Line],
  places: readonly number[],
): Value {
  const [vertical, horizontal] = [outputMatrix(rows, places), outputMatrix(columns, allPlaces)];
  return transformed(graph, dy, turned(vertical), turned(horizontal));
}

/** What some places in the tiles' rows add to A^T m A, the outputs `[height * width, all]`. */
export function outputOfTiles(
  graph: GraphBuilder,
  tiles: Value,
  [rows, columns]: readonly [Line, Line],
  places: readonly number[],
): Value {
  const [lines = 0, , all = 0] = tiles.shape;
  const horizontal = constantOf(graph, outputMatrix(columns, allPlaces));
  const short = graph.node('MatMul', [stackOfOne(graph, horizontal), tiles]);
  const vertical = constantOf(graph, outputMatrix(rows, places));
  const flat = openlyReshaped(graph, short, [lines, columns.outputs * all]);
  const result = graph.node('MatMul', [vertical, flat]);
  return openlyReshaped(graph, result, [rows.outputs * columns.outputs, all]);
}

/** G for rows and columns at once, for some places in the tiles' rows: `[places * 6, 9]`. */
export function filterMatrix(graph: GraphBuilder, places: readonly number[]): Value {
  const values = places.flatMap((place) =>
    FILTER.map((column) => (FILTER[place] ?? []).flatMap((a) => column.map((b) => a * b))),
  );
  return constantOf(graph, values);
}

type Matrix = readonly (readonly number[])[];

/** Both axes of a map multiplied: rows first. */
function transformed(graph: GraphBuilder, map: Value, rows: Matrix, columns: Matrix): Value {
  const all = map.shape[1] ?? 0;
  const [height, width] = [rows[0]?.length ?? 0, columns[0]?.length ?? 0];
  const lines = openlyReshaped(graph, map, [height, width * all]);
  const vertical = graph.node('MatMul', [constantOf(graph, rows), lines]);
  const stacked = openlyReshaped(graph, vertical, [rows.length, width, all]);
  return graph.node('MatMul', [stackOfOne(graph, constantOf(graph, columns)), stacked]);
}

/** B^T for all tiles of a line: `[places * tiles, inputs]`. */
function inputMatrix(line: Line, places: readonly number[]): Matrix {
  return places.flatMap((place) =>
    indices(tilesOf(line)).map((tile) =>
      indices(line.inputs).map((pixel) => INPUT[place]?.[pixel + line.before - TILE * tile] ?? 0),
    ),
  );
}

/** A^T for all tiles of a line: `[outputs, places * tiles]`. */
function outputMatrix(line: Line, places: readonly number[]): Matrix {
  return indices(line.outputs).map((output) =>
    places.flatMap((place) =>
      indices(tilesOf(line)).map((tile) => OUTPUT[output - TILE * tile]?.[place] ?? 0),
    ),
  );
}

function turned(matrix: Matrix): Matrix {
  return indices(matrix[0]?.length ?? 0).map((column) => matrix.map((row) => row[column] ?? 0));
}

function constantOf(graph: GraphBuilder, matrix: Matrix): Value {
  const shape = [matrix.length, matrix[0]?.length ?? 0];
  return graph.constant('float32', shape, Float32Array.from(matrix.flat()));
}

/** A constant matrix for each matrix of a stack. */
function stackOfOne(graph: GraphBuilder, matrix: Value): Value {
  return reshapedTo(graph, matrix, [1, ...matrix.shape]);
}

function indices(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

const allPlaces = indices(PLACES);

const minChannels = 128;

/** Of the multiplications of a direct sum: maps of two pixels each way have more. */
const maxShare = 0.7;

/** Of a transformed map, so that it and its products fit into the caches of most processors. */
const maxBytes = 2 ** 24;
