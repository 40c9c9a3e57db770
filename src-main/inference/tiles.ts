import { AppError, defined, throwIfCancelled } from '../lib/errors.ts';

/**
 * A segmentation network that works on square tiles. `predict` takes RGB tiles, values 0..255,
 * `[batchSize, tileSizePx, tileSizePx, 3]`, and gives class probabilities
 * `[batchSize, tileSizePx, tileSizePx, classCount]`.
 */
export interface TilePredictor {
  readonly tileSizePx: number;
  readonly classCount: number;
  readonly batchSize: number;
  predict(tiles: Uint8Array): Promise<Float32Array>;
}

/** Reads an RGB picture from top to bottom, so that only a band of it is ever in memory. */
export interface RowReader {
  readonly widthPx: number;
  readonly heightPx: number;
  /** The next `count` rows as `[count, widthPx, 3]`; the caller asks for `heightPx` rows in all. */
  read(count: number): Promise<Uint8Array>;
}

/** An 8-bit RGB picture in memory, `[heightPx, widthPx, 3]`. */
export interface RgbImage {
  readonly data: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
}

export interface TileOptions {
  /** Shared pixels of neighbouring tiles; a quarter of the tile when absent. */
  readonly overlapPx?: number;
  readonly signal?: AbortSignal;
  /** Called after each batch of tiles. */
  readonly onTiles?: (done: number, total: number) => void;
  /** Called for each part of the picture that no later tile touches, as soon as it is known. */
  readonly onRegion?: (region: PredictedRegion) => void;
}

/** A finished part of a prediction. The array is reused: read it before returning. */
export interface PredictedRegion {
  readonly leftPx: number;
  readonly topPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Begins at the left border of the picture in row `topPx`: `[.., bandWidthPx, classCount]`. */
  readonly probabilities: Float32Array;
  readonly bandWidthPx: number;
}

/** Finished rows of a prediction. The arrays are reused: read them before asking for the next band. */
export interface PredictedBand {
  readonly topPx: number;
  readonly rows: number;
  /** `[rows, widthPx, classCount]`; the classes of a pixel sum to 1. */
  readonly probabilities: Float32Array;
  /** The picture itself, `[rows, widthPx, 3]`. */
  readonly rgb: Uint8Array;
}

/** The tiles along one axis and how much each counts at each of its pixels. */
export interface AxisPlan {
  readonly starts: readonly number[];
  /** For each tile, `tileSizePx` weights; at every pixel of the axis the weights of all tiles sum to 1. */
  readonly weights: readonly Float32Array[];
}

/**
 * Places tiles along an axis: evenly, the first at 0, the last flush with the end, neighbours sharing
 * at least `overlapPx`. Weights fall off smoothly (raised cosine) over the overlap and are normalized
 * per pixel; because the grid is a product of two axes, the product of two axis weights is normalized
 * in the plane too. An axis shorter than a tile gets one tile that hangs over its end.
 */
export function planAxis(lengthPx: number, tileSizePx: number, overlapPx: number): AxisPlan {
  const last = Math.max(lengthPx - tileSizePx, 0);
  const count = last === 0 ? 1 : 1 + Math.ceil(last / (tileSizePx - overlapPx));
  const starts = Array.from({ length: count }, (_, i) =>
    count === 1 ? 0 : Math.round((i * last) / (count - 1)),
  );
  const window = taper(tileSizePx, overlapPx);
  const sums = new Float64Array(Math.max(lengthPx, tileSizePx));
  for (const start of starts) {
    for (let i = 0; i < tileSizePx; i++)
      sums[start + i] = (sums[start + i] ?? 0) + (window[i] ?? 0);
  }
  const weights = starts.map((start) => window.map((value, i) => value / (sums[start + i] ?? 1)));
  return { starts, weights };
}

/**
 * Predicts a picture of any height band by band: tiles are predicted row of tiles by row of tiles,
 * blended, and rows that no later tile touches are handed out at once. Memory is one tile row of
 * the picture, `tileSizePx * widthPx * (3 + 4 * classCount)` bytes, plus one batch of tiles.
 * Beyond the right and lower border the picture is continued by mirroring.
 * @throws AppError `predict.overlap` when the overlap does not fit the tile; CancelledError
 */
export async function* predictBands(
  predictor: TilePredictor,
  reader: RowReader,
  options: TileOptions = {},
): AsyncGenerator<PredictedBand, void, void> {
  const { tileSizePx, classCount } = predictor;
  const { widthPx, heightPx } = reader;
  const overlapPx = checkedOverlap(options.overlapPx ?? Math.floor(tileSizePx / 4), tileSizePx);
  const columns = planAxis(widthPx, tileSizePx, overlapPx);
  const rows = planAxis(heightPx, tileSizePx, overlapPx);
  const total = columns.starts.length * rows.starts.length;
  const bandRows = Math.min(tileSizePx, heightPx);
  const sums = new Float32Array(bandRows * widthPx * classCount);
  const rgb = new Uint8Array(bandRows * widthPx * 3);
  const band = { rgb, sums, widthPx, rows: bandRows };
  let filled = 0;

  for (const [index, topPx] of rows.starts.entries()) {
    rgb.set(await reader.read(bandRows - filled), filled * widthPx * 3);
    const rowWeights = defined(rows.weights[index], 'row weights');
    const finished = (rows.starts[index + 1] ?? heightPx) - topPx;
    for (let first = 0; first < columns.starts.length; first += predictor.batchSize) {
      throwIfCancelled(options.signal);
      const last = Math.min(first + predictor.batchSize, columns.starts.length);
      await addBatch(predictor, band, { columns, first, last, rowWeights });
      const leftPx = columns.starts[first] ?? 0;
      options.onRegion?.({
        leftPx,
        topPx,
        widthPx: (columns.starts[last] ?? widthPx) - leftPx,
        heightPx: finished,
        probabilities: sums,
        bandWidthPx: widthPx,
      });
      options.onTiles?.(index * columns.starts.length + last, total);
    }
    yield {
      topPx,
      rows: finished,
      probabilities: sums.subarray(0, finished * widthPx * classCount),
      rgb: rgb.subarray(0, finished * widthPx * 3),
    };
    sums.copyWithin(0, finished * widthPx * classCount);
    sums.fill(0, (bandRows - finished) * widthPx * classCount);
    rgb.copyWithin(0, finished * widthPx * 3);
    filled = bandRows - finished;
  }
}

export interface ImagePrediction {
  /** Class of each pixel, `[heightPx, widthPx]`; the lowest class wins a tie. */
  readonly classMap: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
  /** `[heightPx, widthPx, classCount]`, when asked for. */
  readonly probabilities?: Float32Array;
}

/** Predicts a picture that is already in memory; same tiles and blending as {@link predictBands}. */
export async function predictImage(
  predictor: TilePredictor,
  image: RgbImage,
  options: TileOptions & { readonly probabilities?: boolean } = {},
): Promise<ImagePrediction> {
  const { widthPx, heightPx } = image;
  const classMap = new Uint8Array(widthPx * heightPx);
  const probabilities =
    options.probabilities === true
      ? new Float32Array(widthPx * heightPx * predictor.classCount)
      : undefined;
  for await (const band of predictBands(predictor, memoryReader(image), options)) {
    argmaxClasses(
      band.probabilities,
      predictor.classCount,
      classMap.subarray(band.topPx * widthPx, (band.topPx + band.rows) * widthPx),
    );
    probabilities?.set(band.probabilities, band.topPx * widthPx * predictor.classCount);
  }
  return { classMap, widthPx, heightPx, ...(probabilities === undefined ? {} : { probabilities }) };
}

/** Reads rows out of a picture in memory. */
export function memoryReader(image: RgbImage): RowReader {
  const rowBytes = image.widthPx * 3;
  let next = 0;
  return {
    widthPx: image.widthPx,
    heightPx: image.heightPx,
    read: (count) => {
      const rows = image.data.subarray(next * rowBytes, (next + count) * rowBytes);
      next += count;
      return Promise.resolve(rows);
    },
  };
}

/** The most probable class of each pixel, written to `target`; the lowest class wins a tie. */
export function argmaxClasses(
  probabilities: Float32Array,
  classCount: number,
  target: Uint8Array | Uint16Array,
): void {
  for (let pixel = 0, at = 0; pixel < target.length; pixel++, at += classCount) {
    let best = 0;
    let highest = probabilities[at] ?? 0;
    for (let c = 1; c < classCount; c++) {
      const value = probabilities[at + c] ?? 0;
      if (value > highest) {
        highest = value;
        best = c;
      }
    }
    target[pixel] = best;
  }
}

interface Band {
  readonly rgb: Uint8Array;
  readonly sums: Float32Array;
  readonly widthPx: number;
  readonly rows: number;
}

interface BatchPlan {
  readonly columns: AxisPlan;
  readonly first: number;
  readonly last: number;
  readonly rowWeights: Float32Array;
}

/** Cuts the tiles `first..last-1` out of the band, predicts them and adds them to its sums. */
async function addBatch(predictor: TilePredictor, band: Band, plan: BatchPlan): Promise<void> {
  const size = predictor.tileSizePx;
  const tiles = new Uint8Array(predictor.batchSize * size * size * 3);
  for (let i = plan.first; i < plan.last; i++) {
    const tile = tiles.subarray((i - plan.first) * size * size * 3);
    cutTile(band, plan.columns.starts[i] ?? 0, size, tile);
  }
  const predicted = await predictor.predict(tiles);
  const tileLength = size * size * predictor.classCount;
  for (let i = plan.first; i < plan.last; i++) {
    addTile(
      band,
      predicted.subarray((i - plan.first) * tileLength, (i - plan.first + 1) * tileLength),
      {
        leftPx: plan.columns.starts[i] ?? 0,
        columnWeights: defined(plan.columns.weights[i], 'column weights'),
        rowWeights: plan.rowWeights,
        classCount: predictor.classCount,
      },
    );
  }
}

function cutTile(band: Band, leftPx: number, sizePx: number, tile: Uint8Array): void {
  const inside = Math.min(sizePx, band.widthPx - leftPx);
  for (let y = 0; y < sizePx; y++) {
    const source = mirrored(y, band.rows) * band.widthPx;
    const target = y * sizePx * 3;
    tile.set(band.rgb.subarray((source + leftPx) * 3, (source + leftPx + inside) * 3), target);
    for (let x = inside; x < sizePx; x++) {
      const from = (source + mirrored(leftPx + x, band.widthPx)) * 3;
      for (let c = 0; c < 3; c++) tile[target + x * 3 + c] = band.rgb[from + c] ?? 0;
    }
  }
}

interface TilePlace {
  readonly leftPx: number;
  readonly columnWeights: Float32Array;
  readonly rowWeights: Float32Array;
  readonly classCount: number;
}

function addTile(band: Band, tile: Float32Array, place: TilePlace): void {
  const { leftPx, columnWeights, rowWeights, classCount } = place;
  const sizePx = columnWeights.length;
  const inside = Math.min(sizePx, band.widthPx - leftPx);
  for (let y = 0; y < band.rows; y++) {
    const rowWeight = rowWeights[y] ?? 0;
    let from = y * sizePx * classCount;
    let to = (y * band.widthPx + leftPx) * classCount;
    for (let x = 0; x < inside; x++) {
      const weight = rowWeight * (columnWeights[x] ?? 0);
      for (let c = 0; c < classCount; c++, from++, to++) {
        band.sums[to] = (band.sums[to] ?? 0) + weight * (tile[from] ?? 0);
      }
    }
  }
}

/** Reflects an index at the ends of `0..length-1`, as often as needed. */
function mirrored(index: number, length: number): number {
  if (length === 1) return 0;
  const folded = index % (2 * length - 2);
  return folded < length ? folded : 2 * length - 2 - folded;
}

/** 1 in the middle, a raised cosine over `overlapPx` at both ends, positive everywhere. */
function taper(sizePx: number, overlapPx: number): Float32Array {
  return Float32Array.from({ length: sizePx }, (_, i) => {
    const edge = Math.min(i, sizePx - 1 - i) + 0.5;
    return edge >= overlapPx ? 1 : Math.sin((Math.PI / 2) * (edge / overlapPx)) ** 2;
  });
}

function checkedOverlap(overlapPx: number, tileSizePx: number): number {
  if (Number.isInteger(overlapPx) && overlapPx >= 0 && overlapPx <= tileSizePx / 2)
    return overlapPx;
  throw new AppError(
    'predict.overlap',
    `Tiles of ${tileSizePx} px cannot overlap by ${overlapPx} px. Choose a whole number from 0 to ${Math.floor(tileSizePx / 2)}.`,
  );
}
