import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { fitted, zoomed } from '../../../../src-renderer/components/viewer/camera.ts';
import { TileLoader } from '../../../../src-renderer/components/viewer/tile-loader.ts';
import {
  coarsestLevel,
  levelFor,
  standIn,
  tileArea,
  tileKey,
  visibleTiles,
  type TilePlace,
} from '../../../../src-renderer/components/viewer/tiles.ts';

const image = { widthPx: 10_000, heightPx: 5000 };
const canvas = { widthPx: 1000, heightPx: 1000, pixelRatio: 1 };
const fit = fitted(image, canvas);

describe('which squares', () => {
  test('the level has at least a pixel for every pixel of the device', () => {
    expect(levelFor(image, { ...fit, scale: 1 })).toBe(0);
    expect(levelFor(image, { ...fit, scale: 0.5 })).toBe(1);
    expect(levelFor(image, { ...fit, scale: 0.49 })).toBe(1);
    expect(levelFor(image, { ...fit, scale: 0.49, pixelRatio: 2 })).toBe(0);
    expect(levelFor(image, { ...fit, scale: 8 })).toBe(0);
    expect(levelFor(image, { ...fit, scale: 0.0001 })).toBe(6);
    expect(coarsestLevel({ widthPx: 256, heightPx: 100 })).toBe(0);
    expect(coarsestLevel({ widthPx: 257, heightPx: 100 })).toBe(1);
  });

  test('all of a fitted image', () => {
    const tiles = visibleTiles(image, fit, levelFor(image, fit));
    expect(tiles).toHaveLength(5 * 3);
    expect(new Set(tiles.map(tileKey)).size).toBe(15);
    expect(tiles[0]).toEqual({ level: 3, x: 2, y: 1 });
  });

  test('only what is in sight, and nothing outside of the image', () => {
    const view = zoomed(image, fit, { x: 0, y: 300 }, 1);
    const tiles = visibleTiles(image, view, 0);
    expect(tiles.every(({ x, y }) => x >= 0 && y >= 0 && x < 40 && y < 20)).toBe(true);
    expect(tiles.length).toBeLessThanOrEqual(25);
  });

  test('the last ones are cut by the image', () => {
    expect(tileArea(image, { level: 2, x: 9, y: 4 })).toEqual({
      left: 9216,
      top: 4096,
      right: 10_000,
      bottom: 5000,
    });
  });
});

describe('a coarser square stands in', () => {
  test('the finest there is, and only the part that is meant', () => {
    const there = new Set(['2 0 0', '4 0 0']);
    const part = standIn(image, { level: 0, x: 3, y: 2 }, (place) => there.has(tileKey(place)));
    expect(part).toEqual({
      place: { level: 2, x: 0, y: 0 },
      left: 192,
      top: 128,
      widthPx: 64,
      heightPx: 64,
    });
  });

  test('unless there is none', () => {
    expect(standIn(image, { level: 0, x: 3, y: 2 }, () => false)).toBeUndefined();
  });
});

class Tile {
  isClosed = false;
  close(): void {
    this.isClosed = true;
  }
}

function place(x: number): TilePlace {
  return { level: 0, x, y: 0 };
}

/** Loads what the test says, when the test says so. */
function createLoads() {
  const asked: number[] = [];
  const open = new Map<number, { resolve(tile: Tile): void; reject(error: Error): void }>();
  return {
    asked,
    finish: async (x: number, tile = new Tile()) => {
      open.get(x)?.resolve(tile);
      await wait(0);
      return tile;
    },
    fail: async (x: number) => {
      open.get(x)?.reject(new Error('gone'));
      await wait(0);
    },
    load: ({ x }: TilePlace, signal: AbortSignal) =>
      new Promise<Tile>((resolve, reject) => {
        asked.push(x);
        open.set(x, { resolve, reject });
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      }),
  };
}

describe('loading', () => {
  test('is in the order wanted, a few at a time', async () => {
    const loads = createLoads();
    const loader = new TileLoader({ ...loads, onChange: () => undefined, limit: 2 });
    loader.want([3, 1, 2].map(place));
    expect(loads.asked).toEqual([3, 1]);
    await loads.finish(3);
    expect(loads.asked).toEqual([3, 1, 2]);
    expect(loader.isComplete).toBe(false);
    await loads.finish(1);
    await loads.finish(2);
    expect(loader.isComplete).toBe(true);
  });

  test('of what is no longer wanted ends, and it can be wanted again', async () => {
    const loads = createLoads();
    const loader = new TileLoader({ ...loads, onChange: () => undefined, limit: 1 });
    loader.want([1, 2].map(place));
    loader.want([place(3)]);
    await wait(0);
    expect(loads.asked).toEqual([1, 3]);
    await loads.finish(3);
    loader.want([place(1)]);
    expect(loads.asked).toEqual([1, 3, 1]);
  });

  test('keeps what was used last and closes the rest', async () => {
    const loads = createLoads();
    const loader = new TileLoader({ ...loads, onChange: () => undefined, capacity: 2 });
    loader.want([1, 2].map(place));
    const first = await loads.finish(1);
    const second = await loads.finish(2);
    expect(loader.get(place(1))).toBe(first);
    loader.want([place(3)]);
    await loads.finish(3);
    expect([first.isClosed, second.isClosed]).toEqual([false, true]);
    loader.dispose();
    expect(first.isClosed).toBe(true);
  });

  test('a fault is told once and not asked for again until retried', async () => {
    const loads = createLoads();
    let changes = 0;
    const loader = new TileLoader({ ...loads, onChange: () => changes++ });
    loader.want([place(1)]);
    await loads.fail(1);
    expect(loader.fault).toEqual(new Error('gone'));
    expect(loader.isComplete).toBe(true);
    loader.want([place(1)]);
    expect(loads.asked).toEqual([1]);
    loader.retry();
    expect(loads.asked).toEqual([1, 1]);
    expect(changes).toBe(1);
  });

  test('nothing is kept after the end', async () => {
    const loads = createLoads();
    const loader = new TileLoader({ ...loads, onChange: () => undefined });
    loader.want([place(1)]);
    loader.dispose();
    await loads.finish(1);
    expect(loader.has(place(1))).toBe(false);
  });
});
