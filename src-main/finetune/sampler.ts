import { defined } from '../lib/errors.ts';
import { Random } from '../lib/random.ts';
import type { FinetuneConfig } from './config.ts';
import { ignoreLabel } from './metrics.ts';

/** The labelled tiles that crops are cut from; the part of the tile cache that is used here. */
export interface LabelledTiles {
  readonly count: number;
  readonly tileSizePx: number;
  /** Valid pixels of a tile (the rest is padding) and, per class, how many pixels it has. */
  tile(index: number): {
    readonly widthPx: number;
    readonly heightPx: number;
    readonly classPixels?: readonly number[];
  };
  /** Class indices of the given tiles, [n, tileSizePx, tileSizePx]; 255 = ignored or padding. */
  readMasks(indices: readonly number[], target: Uint8Array): void;
}

/**
 * One axis of a crop: output pixels `first .. first+count-1` show the source pixels
 * `start .. start+length-1`, in reverse when mirrored. Output pixels beside them lie outside the
 * picture: the image is continued by mirroring, the mask says 255.
 */
export interface CropAxis {
  readonly start: number;
  readonly length: number;
  readonly first: number;
  readonly count: number;
  readonly mirrored: boolean;
}

/** Everything random about one training crop. */
export interface CropPlan {
  readonly tile: number;
  readonly rows: CropAxis;
  readonly columns: CropAxis;
  /** Rows and columns swapped after cropping; with mirroring this gives all quarter turns. */
  readonly transposed: boolean;
  /** Factors; 1 changes nothing. */
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
  /** Turn of the hue, 1 = full circle. */
  readonly hue: number;
}

export interface CropSampler {
  /**
   * The crops of one step; a pure function of (tiles, settings, seed, step, attempt), so that a
   * resumed run continues with the very same crops without any stored sampler position. `attempt`
   * counts roll-backs, which draw anew.
   */
  crops(step: number, attempt?: number): readonly CropPlan[];
}

type SamplerConfig = Pick<
  FinetuneConfig,
  'seed' | 'batch' | 'cropPx' | 'classAwareShare' | 'augmentation'
>;

/**
 * Plans crops so that rare classes appear (imbalance handled by default): a share
 * `classAwareShare` of the crops first draws one of the classes that occur, all alike, then a tile
 * that has it, then a pixel of it, and a window around that pixel. The other crops take the tiles in
 * shuffled order, every tile once per pass, with the window anywhere.
 */
export function createCropSampler(tiles: LabelledTiles, config: SamplerConfig): CropSampler {
  const tilesOfClass = indexClasses(tiles);
  const classes = tilesOfClass.flatMap((list, index) => (list.length > 0 ? [index] : []));
  const mask = new Uint8Array(tiles.tileSizePx ** 2);
  const root = new Random(config.seed);
  let order: { readonly pass: number; readonly tiles: readonly number[] } | undefined;

  const shuffledTile = (position: number): number => {
    const pass = Math.floor(position / tiles.count);
    if (order?.pass !== pass) {
      const all = Array.from({ length: tiles.count }, (_, i) => i);
      order = { pass, tiles: root.fork(`pass ${pass}`).shuffled(all) };
    }
    return defined(order.tiles[position % tiles.count], 'shuffled tile');
  };

  const planCrop = (position: number, attempt: number): CropPlan => {
    const random = root.fork(`crop ${position}, attempt ${attempt}`);
    const aware = random.chance(config.classAwareShare) && classes.length > 0;
    const target = aware ? defined(classes[random.integer(classes.length)], 'class') : undefined;
    const choices = target === undefined ? undefined : defined(tilesOfClass[target], 'tiles');
    const tile =
      choices === undefined
        ? shuffledTile(position)
        : defined(choices[random.integer(choices.length)], 'tile');
    const focus =
      target === undefined ? undefined : pickPixel(tiles, tile, { target, mask, random });
    return randomCrop(tiles.tile(tile), { tile, focus, random, config });
  };

  return {
    crops: (step, attempt = 0) =>
      Array.from({ length: config.batch }, (_, i) => planCrop(step * config.batch + i, attempt)),
  };
}

/** For each class the tiles that have at least one pixel of it. */
function indexClasses(tiles: LabelledTiles): number[][] {
  const result: number[][] = [];
  for (let index = 0; index < tiles.count; index++) {
    const pixels = defined(tiles.tile(index).classPixels, 'class pixels of a labelled tile');
    pixels.forEach((count, classIndex) => {
      const list = (result[classIndex] ??= []);
      if (count > 0) list.push(index);
    });
  }
  return result;
}

/** A pixel [y, x] of the class in the tile, all alike. */
function pickPixel(
  tiles: LabelledTiles,
  tile: number,
  from: { readonly target: number; readonly mask: Uint8Array; readonly random: Random },
): readonly [y: number, x: number] {
  const { target, mask, random } = from;
  tiles.readMasks([tile], mask);
  let left = random.integer(defined(tiles.tile(tile).classPixels?.[target], 'class pixels'));
  const at = mask.findIndex((value) => value === target && left-- === 0);
  if (at < 0) throw new Error(`Tile ${tile} has fewer pixels of class ${target} than recorded`);
  return [Math.floor(at / tiles.tileSizePx), at % tiles.tileSizePx];
}

interface CropRequest {
  readonly tile: number;
  readonly focus: readonly [y: number, x: number] | undefined;
  readonly random: Random;
  readonly config: SamplerConfig;
}

function randomCrop(
  valid: { readonly widthPx: number; readonly heightPx: number },
  { tile, focus, random, config }: CropRequest,
): CropPlan {
  const { scale, flipProbability, quarterTurns, brightness, contrast, saturation, hue } =
    config.augmentation;
  const zoom = Math.exp(random.uniform(Math.log(scale[0]), Math.log(scale[1])));
  const windowPx = Math.max(1, Math.round(config.cropPx / zoom));
  const axis = (sizePx: number, at: number | undefined, mirrored: boolean): CropAxis =>
    placeWindow({ sizePx, windowPx, cropPx: config.cropPx, at, mirrored, random });
  const factor = (strength: number): number => 1 + random.uniform(-strength, strength);
  return {
    tile,
    columns: axis(valid.widthPx, focus?.[1], random.chance(flipProbability)),
    rows: axis(valid.heightPx, focus?.[0], quarterTurns && random.chance(0.5)),
    transposed: quarterTurns && random.chance(0.5),
    brightness: factor(brightness),
    contrast: factor(contrast),
    saturation: factor(saturation),
    hue: random.uniform(-hue, hue),
  };
}

interface WindowRequest {
  readonly sizePx: number;
  readonly windowPx: number;
  readonly cropPx: number;
  /** A source pixel that must be inside. */
  readonly at: number | undefined;
  readonly mirrored: boolean;
  readonly random: Random;
}

/** A window inside the picture where it fits; else the whole axis, somewhere in the crop. */
function placeWindow(request: WindowRequest): CropAxis {
  const { sizePx, windowPx, cropPx, at, mirrored, random } = request;
  if (windowPx <= sizePx) {
    const low = at === undefined ? 0 : Math.max(0, at - windowPx + 1);
    const high = at === undefined ? sizePx - windowPx : Math.min(sizePx - windowPx, at);
    const start = low + random.integer(high - low + 1);
    return { start, length: windowPx, first: 0, count: cropPx, mirrored };
  }
  const count = Math.max(1, Math.round((sizePx * cropPx) / windowPx));
  return { start: 0, length: sizePx, first: random.integer(cropPx - count + 1), count, mirrored };
}

/**
 * Samples a tile's mask [tileSizePx, tileSizePx] under a crop, nearest neighbour, to
 * [cropPx, cropPx] at `offset` of `target`; 255 outside the picture.
 */
export function cropMask(
  tile: Uint8Array,
  plan: CropPlan,
  target: Uint8Array,
  { offset, cropPx }: { readonly offset: number; readonly cropPx: number },
): void {
  const tilePx = Math.sqrt(tile.length);
  const sources = [plan.rows, plan.columns].map((axis) => sourcePixels(axis, cropPx));
  const [rows = [], columns = []] = sources;
  const [down, right] = plan.transposed ? [1, cropPx] : [cropPx, 1];
  rows.forEach((y, i) => {
    columns.forEach((x, j) => {
      const value = y < 0 || x < 0 ? ignoreLabel : (tile[y * tilePx + x] ?? ignoreLabel);
      target[offset + i * down + j * right] = value;
    });
  });
}

/** For each output pixel of an axis the nearest source pixel, or -1 outside the picture. */
function sourcePixels(axis: CropAxis, cropPx: number): number[] {
  return Array.from({ length: cropPx }, (_, i) => {
    const inside = i - axis.first;
    if (inside < 0 || inside >= axis.count) return -1;
    const position = axis.mirrored ? axis.count - 1 - inside : inside;
    return axis.start + Math.floor(((position + 0.5) * axis.length) / axis.count);
  });
}
