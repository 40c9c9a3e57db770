import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { open, stat, statfs, type FileHandle } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { AppError, defined } from '../lib/errors.ts';
import { writeFileAtomic } from '../lib/files.ts';
import { ByteBudget, forEachParallel } from '../lib/parallel.ts';
import type { ImageRow } from '../project/images.ts';
import type { MaskRow } from '../project/masks.ts';
import type { Project } from '../project/project.ts';
import { openStoredMask } from './class-mask.ts';
import { fileError, shown } from './file-errors.ts';
import { decodingBytes, imageFactsSchema, type ImageFacts } from './image-facts.ts';
import type { TaskControl } from './import-types.ts';
import type { MaskMapping } from './mask-mapping.ts';
import { readMaskMapping } from './stored-settings.ts';
import { TileCacheReader, type Tile, type TileCache } from './tile-cache.ts';
import { planTiles, scaledSize, type TilePlace } from './tile-plan.ts';
import { cutTiles } from './tile-cut.ts';

export interface TileCacheRequest {
  /** In the order in which their tiles will lie in the cache. */
  readonly imageIds: readonly string[];
  readonly tileSizePx: number;
  /** 1 is native resolution; 0.5 halves each side. At most 1: images are never enlarged. */
  readonly scale: number;
  readonly masks: boolean;
}

const formatVersion = 1;
const memoryBytes = 400e6;
/** Left free on the disk. */
const reserveBytes = 200e6;

/**
 * Opens the cache of decoded tiles for some images, building it when it is not there or something
 * it was made of has changed. Images that are larger than T x T at the scale give several tiles.
 * @throws AppError `images.*` when a source file cannot be read any more, `disk.full`,
 * `cache.nothing-to-do`; CancelledError
 */
export async function buildTileCache(
  project: Project,
  request: TileCacheRequest,
  control: TaskControl = {},
): Promise<TileCache> {
  if (!(request.scale > 0 && request.scale <= 1)) {
    throw new RangeError(`Scale ${request.scale} is not in (0, 1]`);
  }
  const mapping = request.masks ? readMaskMapping(project) : undefined;
  const { sources, key } = lookThrough(project, request, mapping);
  const folder = join(project.dir, 'cache');
  const files = {
    index: join(folder, `tiles-${key}.json`),
    images: join(folder, `tiles-${key}.rgb`),
    masks: request.masks ? join(folder, `tiles-${key}.classes`) : undefined,
  };
  // The index is written last, so a cache with an index is complete.
  if (!existsSync(files.index)) {
    mkdirSync(folder, { recursive: true });
    await build({ project, request, sources, mapping, folder, files, control });
  }
  const index = v.parse(indexSchema, JSON.parse(readFileSync(files.index, 'utf8')));
  return new TileCacheReader(files, {
    tileSizePx: request.tileSizePx,
    scale: request.scale,
    tiles: index.tiles,
  });
}

/** How many bytes a cache takes on disk, before building it. */
export function tileCacheBytes(
  sizes: readonly { readonly widthPx: number; readonly heightPx: number }[],
  request: Pick<TileCacheRequest, 'tileSizePx' | 'scale' | 'masks'>,
): number {
  const tiles = sizes.reduce((sum, size) => sum + placesOf(size, request).length, 0);
  return tiles * request.tileSizePx ** 2 * (request.masks ? 4 : 3);
}

/** What is kept of each image; its row is read again when it is cut, for rows of 100,000 fill memory. */
interface Source {
  readonly imageId: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Index of its first tile in the cache. */
  readonly firstTile: number;
}

interface BuildTask {
  readonly project: Project;
  readonly request: TileCacheRequest;
  readonly sources: readonly Source[];
  readonly mapping: MaskMapping | undefined;
  readonly folder: string;
  readonly files: {
    readonly index: string;
    readonly images: string;
    readonly masks: string | undefined;
  };
  readonly control: TaskControl;
}

const indexSchema = v.object({
  tiles: v.array(
    v.object({
      imageId: v.string(),
      leftPx: v.number(),
      topPx: v.number(),
      widthPx: v.number(),
      heightPx: v.number(),
      classPixels: v.exactOptional(v.array(v.number())),
    }),
  ),
});

/** The images in order, and a key of everything that the bytes of the cache depend on. */
function lookThrough(
  project: Project,
  request: TileCacheRequest,
  mapping: MaskMapping | undefined,
): { readonly sources: readonly Source[]; readonly key: string } {
  if (request.imageIds.length === 0) {
    throw new AppError('cache.nothing-to-do', 'No image was chosen. Import images first.');
  }
  const hash = createHash('sha256');
  const add = (...parts: readonly unknown[]) => hash.update(`${JSON.stringify(parts)}\n`);
  add(formatVersion, request.tileSizePx, request.scale, request.masks, mapping ?? null);
  let firstTile = 0;
  const sources = request.imageIds.map((imageId) => {
    const { image, mask } = rowsOf(project, request, imageId);
    const { widthPx, heightPx } = image;
    add(image.id, image.sha256, image.bytes, image.modifiedMs, image.facts['ranges']);
    if (mask !== undefined) add(mask.path, mask.format, mask.details, mask.classPixels);
    const source = { imageId, widthPx, heightPx, firstTile };
    firstTile += placesOf(source, request).length;
    return source;
  });
  return { sources, key: hash.digest('hex').slice(0, 32) };
}

function rowsOf(project: Project, { masks }: TileCacheRequest, imageId: string): Rows {
  return {
    image: defined(project.images.get(imageId), `image ${imageId}`),
    mask: masks ? project.masks.get(imageId) : undefined,
  };
}

interface Rows {
  readonly image: ImageRow;
  readonly mask: MaskRow | undefined;
}

function placesOf(
  size: Pick<Source, 'widthPx' | 'heightPx'>,
  { scale, tileSizePx }: Pick<TileCacheRequest, 'scale' | 'tileSizePx'>,
): readonly TilePlace[] {
  return planTiles(scaledSize(size, scale), tileSizePx);
}

async function build(task: BuildTask): Promise<void> {
  const { request, sources, files, folder, control } = task;
  await requireSpace(folder, tileCacheBytes(sources, request));
  const temporary = (path: string) => `${path}.${process.pid}.tmp`;
  const tiles: Tile[] = [];
  const outputs = [files.images, ...(files.masks === undefined ? [] : [files.masks])];
  try {
    await using images = await open(temporary(files.images), 'w');
    await using masks =
      files.masks === undefined ? undefined : await open(temporary(files.masks), 'w');
    await fill(task, { images, masks, tiles });
    await Promise.all([images.sync(), masks?.sync()]);
    for (const path of outputs) renameSync(temporary(path), path);
  } catch (error) {
    for (const path of outputs) rmSync(temporary(path), { force: true });
    throw asDiskError(error);
  }
  writeFileAtomic(files.index, indexText(tiles));
  control.onProgress?.({
    phase: 'Decoding images',
    done: sources.length,
    total: sources.length,
    unit: 'image',
  });
}

/** JSON as `indexSchema` has it, in parts, so that it is never in memory as a whole. */
function* indexText(tiles: readonly Tile[]): Generator<Uint8Array> {
  const tilesAtOnce = 1000;
  yield Buffer.from('{"tiles":[');
  for (let first = 0; first < tiles.length; first += tilesAtOnce) {
    const part = JSON.stringify(tiles.slice(first, first + tilesAtOnce)).slice(1, -1);
    yield Buffer.from(first === 0 ? part : `,${part}`);
  }
  yield Buffer.from(']}');
}

interface Outputs {
  readonly images: FileHandle;
  readonly masks: FileHandle | undefined;
  /** Filled by position. */
  readonly tiles: Tile[];
}

async function fill(task: BuildTask, outputs: Outputs): Promise<void> {
  const { request, sources, control } = task;
  const budget = new ByteBudget(memoryBytes);
  const started = performance.now();
  let done = 0;
  await forEachParallel(
    sources,
    availableParallelism(),
    async (source) => {
      const rows = rowsOf(task.project, request, source.imageId);
      const facts = v.parse(imageFactsSchema, rows.image.facts);
      await requireUnchanged(rows.image, task.project);
      await budget.run(rows.image.bytes + decodingBytes(facts), () =>
        writeTiles(task, outputs, { ...rows, facts, source }),
      );
      done++;
      control.onProgress?.({
        phase: 'Decoding images',
        done,
        total: sources.length,
        unit: 'image',
        imagesPerSecond: (done * 1000) / (performance.now() - started),
      });
    },
    control.signal,
  );
  const expected = sources.reduce((sum, source) => sum + placesOf(source, request).length, 0);
  if (outputs.tiles.length !== expected) {
    throw new Error(`${request.tileSizePx} px cache is incomplete`);
  }
}

async function writeTiles(
  task: BuildTask,
  outputs: Outputs,
  { image, mask, facts, source }: Rows & { readonly facts: ImageFacts; readonly source: Source },
): Promise<void> {
  const { project, mapping } = task;
  const { tileSizePx, scale } = task.request;
  const isLabelled = mask !== undefined && mapping !== undefined;
  const pixels = tileSizePx ** 2;
  const cut = {
    path: project.images.pathOf(image),
    facts,
    openMask: isLabelled ? () => openStoredMask(project, mask, mapping) : undefined,
    size: scaledSize(source, scale),
    places: placesOf(source, task.request),
    tileSizePx,
    signal: task.control.signal,
  };
  let index = source.firstTile;
  for await (const { place, rgb, classes } of cutTiles(cut)) {
    await writeAt(outputs.images, rgb, index * pixels * 3);
    if (outputs.masks !== undefined) await writeAt(outputs.masks, classes, index * pixels);
    outputs.tiles[index] = {
      imageId: image.id,
      ...place,
      ...(isLabelled ? { classPixels: countPixels(classes, mapping.classes.length) } : {}),
    };
    index++;
  }
}

function countPixels(classes: Uint8Array, count: number): number[] {
  const pixels = new Array<number>(count).fill(0);
  for (const index of classes) if (index < count) pixels[index] = (pixels[index] ?? 0) + 1;
  return pixels;
}

async function writeAt(file: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < data.byteLength;) {
    const { bytesWritten } = await file.write(data, done, data.byteLength - done, position + done);
    done += bytesWritten;
  }
}

async function requireUnchanged(image: ImageRow, project: Project): Promise<void> {
  const path = project.images.pathOf(image);
  const facts = await stat(path).catch((cause: unknown) => {
    throw fileError(cause, path);
  });
  if (facts.size !== image.bytes || Math.trunc(facts.mtimeMs) !== image.modifiedMs) {
    throw new AppError(
      'images.changed',
      `${shown(path)} has changed since it was imported. Import the folder again.`,
    );
  }
}

async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes + reserveBytes) return;
  const inGb = (value: number) => `${(value / 1e9).toFixed(1)} GB`;
  throw new AppError(
    'disk.full',
    `The decoded images need ${inGb(bytes)} in ${folder}, but only ${inGb(bavail * bsize)} are free. ` +
      'Free some space, choose a smaller scale, or use fewer images.',
  );
}

function asDiskError(error: unknown): unknown {
  const isFull = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
  if (!isFull) return error;
  return new AppError(
    'disk.full',
    'The disk became full while images were decoded. Free some space and start again.',
    { cause: error },
  );
}
