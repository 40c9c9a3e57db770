import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { importImages } from '../../../src-main/datasets/import.ts';
import { buildTileCache } from '../../../src-main/datasets/tile-cache-build.ts';
import { planTiles, scaledSize } from '../../../src-main/datasets/tile-plan.ts';
import { CancelledError } from '../../../src-main/lib/errors.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';
import { greyPng, rectangle, sample, samplePixels, TemporaryFolder } from './sample-files.ts';

let folder: TemporaryFolder;
let project: Project;

beforeEach(async () => {
  folder = new TemporaryFolder();
  project = createProject(join(folder.path, 'Test.decon'));
  folder.write('data/images/a large.png', await sample(50, 40, 1).png().toBuffer());
  folder.write('data/masks/a large.png', await greyPng(rectangle(50, 40, 1), 50, 40));
  folder.write('data/images/b small.png', await sample(12, 20, 2).png().toBuffer());
  await importImages(project, { imagesPath: join(folder.path, 'data') });
});
afterEach(() => {
  project.dispose();
  folder[Symbol.dispose]();
});

const tileSizePx = 16;
const imageIds = () => project.images.list().map(({ id }) => id);
const request = () => ({ imageIds: imageIds(), tileSizePx, scale: 1, masks: true });
const cacheFiles = () => readdirSync(join(project.dir, 'cache')).sort();

/** The part of the source picture that a tile should hold. */
function expectedTile(
  source: Uint8Array,
  sourceWidth: number,
  place: { leftPx: number; topPx: number; widthPx: number; heightPx: number },
): Uint8Array {
  const tile = new Uint8Array(tileSizePx ** 2 * 3);
  for (let y = 0; y < place.heightPx; y++) {
    for (let i = 0; i < place.widthPx * 3; i++) {
      const from = ((place.topPx + y) * sourceWidth + place.leftPx) * 3 + i;
      tile[y * tileSizePx * 3 + i] = source[from] ?? 0;
    }
  }
  return tile;
}

describe('the plan', () => {
  test('ends at the border with an even overlap', () => {
    const lefts = planTiles({ widthPx: 50, heightPx: 16 }, 16).map(({ leftPx }) => leftPx);
    expect(lefts).toEqual([0, 11, 23, 34]);
  });

  test('takes small pictures whole and never enlarges', () => {
    expect(planTiles({ widthPx: 12, heightPx: 40 }, 16)).toEqual([
      { leftPx: 0, topPx: 0, widthPx: 12, heightPx: 16 },
      { leftPx: 0, topPx: 12, widthPx: 12, heightPx: 16 },
      { leftPx: 0, topPx: 24, widthPx: 12, heightPx: 16 },
    ]);
    expect(scaledSize({ widthPx: 3, heightPx: 100 }, 0.1)).toEqual({ widthPx: 1, heightPx: 10 });
  });
});

describe('a cache', () => {
  test('holds the pixels and classes of every tile', async () => {
    const cache = await buildTileCache(project, request());
    expect(cache.count).toBe(4 * 3 + 2);
    const images = new Uint8Array(cache.count * tileSizePx ** 2 * 3);
    const classes = new Uint8Array(cache.count * tileSizePx ** 2);
    const all = Array.from({ length: cache.count }, (_, i) => i);
    cache.readImages(all, images);
    cache.readMasks(all, classes);
    const [large, small] = imageIds();
    for (const i of all) {
      const tile = cache.tile(i);
      const isLarge = tile.imageId === large;
      const source = isLarge ? samplePixels(50, 40, 1) : samplePixels(12, 20, 2);
      const bytes = tileSizePx ** 2 * 3;
      expect(images.subarray(i * bytes, (i + 1) * bytes)).toEqual(
        expectedTile(source, isLarge ? 50 : 12, tile),
      );
    }
    const mask = rectangle(50, 40, 1);
    const second = cache.tile(1);
    expect(classes[tileSizePx ** 2 + 5 * tileSizePx]).toBe(mask[5 * 50 + second.leftPx]);
    expect(second.classPixels?.reduce((sum, count) => sum + count, 0)).toBe(tileSizePx ** 2);
    const last = cache.count - 1;
    expect(cache.tile(last)).toMatchObject({ imageId: small, widthPx: 12, heightPx: 16 });
    expect(cache.tile(last).classPixels).toBeUndefined();
    expect(new Set(classes.subarray(last * tileSizePx ** 2))).toEqual(new Set([255]));
    cache.dispose();
  });

  test('knows each of more than a thousand tiles', async () => {
    folder.write('data/images/c wide.png', await sample(400, 200, 3).png().toBuffer());
    await importImages(project, { imagesPath: join(folder.path, 'data') });
    const cache = await buildTileCache(project, { ...request(), tileSizePx: 8, masks: false });
    const wide = project.images.list().find(({ relPath }) => relPath === 'c wide.png');
    const tiles = Array.from({ length: cache.count }, (_, i) => cache.tile(i));
    const places = tiles.filter(({ imageId }) => imageId === wide?.id);
    expect(places).toHaveLength(50 * 25);
    expect(places.map(({ leftPx, topPx }) => [leftPx, topPx])).toEqual(
      planTiles({ widthPx: 400, heightPx: 200 }, 8).map(({ leftPx, topPx }) => [leftPx, topPx]),
    );
    cache.dispose();
  });

  test('marks what is outside the picture as ignored', async () => {
    folder.write('data/masks/b small.png', await greyPng(rectangle(12, 20, 1), 12, 20));
    await importImages(project, { imagesPath: join(folder.path, 'data') });
    const cache = await buildTileCache(project, request());
    const classes = new Uint8Array(tileSizePx ** 2);
    cache.readMasks([cache.count - 1], classes);
    const row = [...classes.subarray(0, tileSizePx)];
    expect(row.slice(0, 12).every((value) => value < 2)).toBe(true);
    expect(row.slice(12)).toEqual([255, 255, 255, 255]);
    cache.dispose();
  });

  test('is down-scaled with classes kept', async () => {
    const cache = await buildTileCache(project, { ...request(), scale: 0.5 });
    expect(cache.count).toBe(2 * 2 + 1);
    const classes = new Uint8Array(tileSizePx ** 2);
    cache.readMasks([0], classes);
    // The rectangle of pixels 4..24 x 4..19 becomes 2..11 x 2..9.
    expect([...classes.subarray(5 * tileSizePx, 5 * tileSizePx + 14)].join('')).toBe(
      '00111111111100',
    );
    expect(new Set(classes)).toEqual(new Set([0, 1]));
    cache.dispose();
  });

  test('is built once and again when something it holds changes', async () => {
    let decoded = 0;
    const build = async () => {
      decoded = 0;
      const cache = await buildTileCache(project, request(), { onProgress: () => decoded++ });
      cache.dispose();
      return decoded > 0;
    };
    expect(await build()).toBe(true);
    expect(await build()).toBe(false);
    folder.write('data/images/b small.png', await sample(12, 20, 3).png().toBuffer());
    await importImages(project, { imagesPath: join(folder.path, 'data') });
    expect(await build()).toBe(true);
    expect(cacheFiles().filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('is not made of files that have changed since the import', async () => {
    utimesSync(join(folder.path, 'data/images/b small.png'), 100, 100);
    const build = buildTileCache(project, request());
    await expect(build).rejects.toMatchObject({ code: 'images.changed' });
    expect(cacheFiles()).toEqual([]);
  });

  test('leaves nothing behind when it is cancelled', async () => {
    const stop = new AbortController();
    const control = { signal: stop.signal, onProgress: () => stop.abort() };
    stop.abort();
    await expect(buildTileCache(project, request(), control)).rejects.toThrow(CancelledError);
    expect(cacheFiles()).toEqual([]);
  });

  test('refuses a target of another size and tiles it does not have', async () => {
    const cache = await buildTileCache(project, { ...request(), masks: false });
    expect(() => cache.readImages([0], new Uint8Array(5))).toThrow(RangeError);
    expect(() => cache.readImages([99], new Uint8Array(tileSizePx ** 2 * 3))).toThrow(/No tile 99/);
    expect(() => cache.readMasks([0], new Uint8Array(tileSizePx ** 2))).toThrow(/masks/);
    cache.dispose();
  });
});
