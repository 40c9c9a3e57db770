import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import type { ImageRow } from '../project/images.ts';
import type { Project } from '../project/project.ts';

/** Side of the squares that a class map is stored in. */
export const classMapTilePx = 256;

/** The value of pixels that are not predicted yet; no class has it. */
export const notPredicted = 255;

/** `classes`: the class of each pixel. `uncertainty`: 0 (certain) to 254 (any class could be it). */
export const classMapPlanes = ['classes', 'uncertainty'] as const;
export type ClassMapPlane = (typeof classMapPlanes)[number];

/** A rectangle of a picture, in pixels of the level it is meant for. */
export interface Area {
  readonly leftPx: number;
  readonly topPx: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

export const factsName = 'map.json';

const factsSchema = v.object({
  format: v.literal(1),
  widthPx: v.number(),
  heightPx: v.number(),
  /** `partial` while it is made, and when that was stopped. */
  state: v.picklist(['partial', 'complete']),
  /** Pixels of each class in the model's order; empty until it is complete. */
  classPixels: v.array(v.number()),
  /** Side of a pixel in micrometers, when the picture tells it. */
  pixelSizeUm: v.nullable(v.number()),
});
export type ClassMapFacts = Readonly<v.InferOutput<typeof factsSchema>>;

/** Areas of level 0 in the order in which they became ready, one a line. */
export const changesName = 'changes.log';

/**
 * The folder of the prediction of one image by one model. Both keys name content (see the functions
 * below), so a map is never out of date; the cache can be deleted at any time.
 */
export function classMapFolder(project: Project, modelKey: string, imageKey: string): string {
  return project.path(`cache/predictions/${modelKey}/${imageKey}`);
}

/** Names the weights that a run serves; undefined while it has none. */
export function runModelKey(project: Project, runId: string): string | undefined {
  const served = project.checkpoints.get(runId, 'final') ?? project.checkpoints.get(runId, 'best');
  return served?.sha256.slice(0, 24);
}

/** Names the content of an imported image. */
export function imageMapKey(image: Pick<ImageRow, 'sha256'>): string {
  return image.sha256;
}

/** Names a file by path, size and time; undefined when it is not there. */
export function fileKey(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  const text = `${path}\n${found.size}\n${found.mtimeMs}`;
  return createHash('sha256').update(text).digest('hex').slice(0, 24);
}

/** Levels of a map: 0 has every pixel, each further one every second of the one before. */
export function classMapLevels({ widthPx, heightPx }: Pick<Area, 'widthPx' | 'heightPx'>): number {
  let levels = 1;
  while (Math.max(widthPx, heightPx) / 2 ** (levels - 1) > classMapTilePx) levels += 1;
  return levels;
}

/** Predictions that are kept for looking at them again. */
const keptMaps = 300;

/** Removes the oldest maps beyond the number that is kept. */
export function pruneClassMaps(project: Project, keep = keptMaps): void {
  const root = project.path('cache/predictions');
  const maps = entriesOf(root)
    .flatMap((model) => entriesOf(join(root, model)).map((image) => join(root, model, image)))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of maps.slice(keep)) rmSync(path, { recursive: true, force: true });
}

/** The image keys that a model has maps of. */
export function mappedImages(project: Project, modelKey: string): readonly string[] {
  return entriesOf(project.path(`cache/predictions/${modelKey}`));
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not there: nothing was predicted
  }
}

/** What is known of a class map; undefined when there is none or its files are damaged. */
export function readClassMapFacts(folder: string): ClassMapFacts | undefined {
  try {
    return v.parse(factsSchema, JSON.parse(readFileSync(join(folder, factsName), 'utf8')));
  } catch {
    return undefined; // absent, or of no use: it is made anew
  }
}

/** The values of an area of a level, row by row; `notPredicted` where nothing is ready. */
export async function readClassMapArea(
  folder: string,
  size: Pick<Area, 'widthPx' | 'heightPx'>,
  { plane, level, area }: { plane: ClassMapPlane; level: number; area: Area },
): Promise<Uint8Array> {
  const values = new Uint8Array(area.widthPx * area.heightPx).fill(notPredicted);
  const columns = tileRange(area.leftPx, area.widthPx);
  for (const row of tileRange(area.topPx, area.heightPx)) {
    for (const column of columns) {
      const box = tileBox(size, level, column, row);
      const data = await readTile(join(folder, tileName(plane, level, column, row)), box);
      if (data !== undefined) copyInto({ values, area }, { data, box });
    }
  }
  return values;
}

/** A complete class map, `[heightPx, widthPx]`. @throws AppError `predict.no-map` */
export async function readClassMap(
  folder: string,
): Promise<{ readonly classMap: Uint8Array; readonly widthPx: number; readonly heightPx: number }> {
  const facts = readClassMapFacts(folder);
  if (facts?.state !== 'complete') {
    throw new AppError('predict.no-map', 'This image has no finished prediction yet.');
  }
  const { widthPx, heightPx } = facts;
  const area = { leftPx: 0, topPx: 0, widthPx, heightPx };
  const classMap = await readClassMapArea(folder, facts, { plane: 'classes', level: 0, area });
  return { classMap, widthPx, heightPx };
}

/**
 * Areas of level 0 that became ready since `offset`, and the offset to ask with next. A map that was
 * begun anew is told from its start.
 */
export function readChangedAreas(
  folder: string,
  offset: number,
): { readonly areas: readonly Area[]; readonly offset: number } {
  const { text, start } = readTail(join(folder, changesName), offset);
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const areas = whole
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [leftPx = 0, topPx = 0, widthPx = 0, heightPx = 0] = line.split(' ').map(Number);
      return { leftPx, topPx, widthPx, heightPx };
    });
  return { areas, offset: start + whole.length };
}

/** Path of a square below the map's folder. */
export function tileName(plane: ClassMapPlane, level: number, column: number, row: number): string {
  return `${plane}/${level}/${row}-${column}`;
}

/** Where a square lies in its level. */
export function tileBox(
  size: Pick<Area, 'widthPx' | 'heightPx'>,
  level: number,
  column: number,
  row: number,
): Area {
  const [leftPx, topPx] = [column * classMapTilePx, row * classMapTilePx];
  const lengthOf = (fullPx: number, startPx: number): number =>
    Math.min(classMapTilePx, Math.ceil(fullPx / 2 ** level) - startPx);
  return {
    leftPx,
    topPx,
    widthPx: lengthOf(size.widthPx, leftPx),
    heightPx: lengthOf(size.heightPx, topPx),
  };
}

function tileRange(startPx: number, lengthPx: number): readonly number[] {
  const first = Math.floor(startPx / classMapTilePx);
  const last = Math.floor((startPx + lengthPx - 1) / classMapTilePx);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

const inflate = promisify(inflateRaw);

async function readTile(path: string, box: Area): Promise<Uint8Array | undefined> {
  if (box.widthPx <= 0 || box.heightPx <= 0) return undefined;
  try {
    const data = await inflate(await readFile(path));
    return data.length === box.widthPx * box.heightPx ? data : undefined;
  } catch {
    return undefined; // not there yet, or a damaged cache: shown as not predicted
  }
}

function copyInto(
  target: { readonly values: Uint8Array; readonly area: Area },
  source: { readonly data: Uint8Array; readonly box: Area },
): void {
  const { area, values } = target;
  const { box, data } = source;
  const left = Math.max(area.leftPx, box.leftPx);
  const right = Math.min(area.leftPx + area.widthPx, box.leftPx + box.widthPx);
  const top = Math.max(area.topPx, box.topPx);
  const bottom = Math.min(area.topPx + area.heightPx, box.topPx + box.heightPx);
  if (right <= left) return;
  for (let y = top; y < bottom; y++) {
    const from = (y - box.topPx) * box.widthPx + left - box.leftPx;
    const to = (y - area.topPx) * area.widthPx + left - area.leftPx;
    values.set(data.subarray(from, from + right - left), to);
  }
}

function readTail(path: string, offset: number): { readonly text: string; readonly start: number } {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return { text: '', start: 0 }; // nothing is ready yet
  }
  try {
    const { size } = fstatSync(file);
    const start = size < offset ? 0 : offset;
    const bytes = new Uint8Array(size - start);
    const length = readSync(file, bytes, 0, bytes.length, start);
    return { text: new TextDecoder().decode(bytes.subarray(0, length)), start };
  } finally {
    closeSync(file);
  }
}
