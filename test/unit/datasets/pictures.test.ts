import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hashFile, inspectImage, loadFile } from '../../../src-main/datasets/decode.ts';
import { colorClasses } from '../../../src-main/datasets/mask-picture.ts';
import { keptTile } from '../../../src-main/datasets/picture-pyramid.ts';
import {
  fitInside,
  thumbnail,
  type PictureSource,
} from '../../../src-main/datasets/picture-thumbnail.ts';
import { pictureTile, type TileRequest } from '../../../src-main/datasets/picture-tiles.ts';
import { CancelledError } from '../../../src-main/lib/errors.ts';
import { samplePixels, sample, TemporaryFolder } from './sample-files.ts';
import { encodeTiff } from './tiff-writer.ts';

let folder: TemporaryFolder;
const never = new AbortController().signal;

beforeEach(() => (folder = new TemporaryFolder()));
afterEach(() => folder[Symbol.dispose]());

const cache = (): string => join(folder.path, 'cache');

async function sourceOf(path: string): Promise<PictureSource> {
  const file = await loadFile(path);
  return { path, sha256: await hashFile(file), facts: await inspectImage(file) };
}

async function decoded(png: Uint8Array) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  return { data, ...info };
}

function tileOf(source: PictureSource, request: Partial<TileRequest>): Promise<Uint8Array> {
  const whole = { level: 0, x: 0, y: 0, low: 0, high: 255 };
  return pictureTile(source, cache(), { ...whole, ...request }, never);
}

describe('squares of a picture that is kept on the disk', () => {
  test('are those that are cut in memory, at every size', async () => {
    const source = await sourceOf(
      folder.write('a.png', await sample(700, 601, 1).png().toBuffer()),
    );
    for (const [level, x, y] of [
      [0, 2, 2],
      [1, 1, 1],
      [2, 0, 0],
    ] as const) {
      const kept = await decoded(await keptTile(source, cache(), { level, x, y }, never));
      const cut = await decoded(await tileOf(source, { level, x, y }));
      expect([kept.width, kept.height]).toEqual([cut.width, cut.height]);
      if (level === 0) expect(Buffer.compare(kept.data, cut.data)).toBe(0);
    }
  });

  test('of a deep picture are stretched as training sees them', async () => {
    const data = Uint16Array.from({ length: 600 * 300 }, (_, i) => (i % 600) * 50 + 300);
    const page = { widthPx: 600, heightPx: 300, channels: 1, data, photometric: 1 } as const;
    const source = await sourceOf(folder.write('deep.tif', encodeTiff([page])));
    const kept = await decoded(await keptTile(source, cache(), { level: 0, x: 1, y: 1 }, never));
    const cut = await decoded(await tileOf(source, { x: 1, y: 1 }));
    expect(kept.height).toBe(44);
    expect([...kept.data.subarray(0, 30)]).toEqual([...cut.data.subarray(0, 30)]);
  });

  test('are made once, for all who ask at the same time, and leave nothing else', async () => {
    const source = await sourceOf(
      folder.write('a.png', await sample(300, 300, 1).png().toBuffer()),
    );
    const places = [0, 1, 0, 1].map((x) => ({ level: 0, x, y: 0 }));
    await Promise.all(places.map((place) => keptTile(source, cache(), place, never)));
    expect(readdirSync(cache())).toEqual([source.sha256]);
  });

  test('one who gives up does not end the work of others', async () => {
    const source = await sourceOf(
      folder.write('a.png', await sample(300, 300, 1).png().toBuffer()),
    );
    const controller = new AbortController();
    const place = { level: 0, x: 0, y: 0 };
    const given = expect(keptTile(source, cache(), place, controller.signal)).rejects.toThrow(
      CancelledError,
    );
    controller.abort();
    await given;
    expect((await keptTile(source, cache(), place, never)).length).toBeGreaterThan(0);
  });

  test('of a damaged file leave nothing behind', async () => {
    const source = await sourceOf(
      folder.write('a.png', await sample(300, 300, 1).png().toBuffer()),
    );
    writeFileSync(source.path, 'no picture');
    const place = { level: 0, x: 0, y: 0 };
    await expect(keptTile(source, cache(), place, never)).rejects.toMatchObject({
      code: 'images.damaged',
    });
    expect(readdirSync(cache())).toEqual([]);
  });
});

describe('windowing', () => {
  test('stretches levels linearly and clips', async () => {
    const source = await sourceOf(folder.write('a.png', await sample(40, 40, 3).png().toBuffer()));
    const plain = samplePixels(40, 40, 3);
    const { data } = await decoded(await tileOf(source, { low: 100, high: 150 }));
    const expected = plain.map((value) => Math.min(255, Math.max(0, (value - 100) * 5.1)));
    for (const [i, value] of data.entries()) {
      expect(Math.abs(value - (expected[i] ?? 0))).toBeLessThanOrEqual(1);
    }
  });
});

describe('thumbnails', () => {
  test('of a turned photograph are upright', async () => {
    const jpeg = await sample(400, 200, 1).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const source = await sourceOf(folder.write('turned.jpg', jpeg));
    const { width, height } = await decoded(await thumbnail(source, cache(), 128));
    expect([width, height]).toEqual([64, 128]);
  });

  test('that were cut off by a power failure are made again', async () => {
    const source = await sourceOf(folder.write('a.jpg', await sample(90, 90, 1).jpeg().toBuffer()));
    const made = await thumbnail(source, cache(), 128);
    const file = join(cache(), source.sha256.slice(0, 2), `${source.sha256}-128.jpg`);
    expect(existsSync(file)).toBe(true);
    writeFileSync(file, made.subarray(0, 100));
    expect(Buffer.compare(await thumbnail(source, cache(), 128), made)).toBe(0);
  });

  test('are shown where the cache cannot be written', async () => {
    const source = await sourceOf(folder.write('a.jpg', await sample(90, 90, 1).jpeg().toBuffer()));
    const blocked = folder.write('blocked', 'a file in the place of the cache');
    expect((await thumbnail(source, blocked, 128)).length).toBeGreaterThan(0);
  });

  test('keep the shape of very long pictures', () => {
    expect(fitInside({ widthPx: 10_000, heightPx: 8 }, 128)).toEqual({ widthPx: 128, heightPx: 1 });
  });
});

test('classes keep their colors when they are made smaller, and outlines close at edges', async () => {
  const data = Uint8Array.from({ length: 64 }, (_, i) => (i % 8 < 4 ? 1 : 2));
  const classes = { data, widthPx: 8, heightPx: 8 };
  const colors = [
    { classIndex: 1, color: '#ff0000' },
    { classIndex: 2, color: '#00ff00' },
  ];
  const size = { widthPx: 4, heightPx: 4 };
  const square = { left: 0, top: 0, ...size };
  const filled = await decoded(
    await colorClasses(classes, { size, square, colors, isOutline: false }),
  );
  expect([...filled.data.subarray(0, 16)].filter((_, i) => i % 4 < 2)).toEqual([
    255, 0, 255, 0, 0, 255, 0, 255,
  ]);
  const whole = { left: 0, top: 0, widthPx: 8, heightPx: 8 };
  const outline = await decoded(
    await colorClasses(classes, { size: whole, square: whole, colors, isOutline: true }),
  );
  const opacity = [...outline.data.subarray(0, 32)].filter((_, i) => i % 4 === 3);
  expect(opacity).toEqual([0, 0, 0, 255, 255, 0, 0, 0]);
});
