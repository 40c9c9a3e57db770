import { describe, expect, it } from 'vitest';
import {
  floodRegion,
  paintRegion,
  type FloodOptions,
} from '../../../../src-renderer/screens/label/flood.ts';
import { gridOf, tileRect, tileSide } from '../../../../src-renderer/screens/label/grid.ts';
import { painter } from './painter.ts';

const grid = gridOf(600, 520);

/** A flood over the pixels for which `isWanted` holds. */
function options(
  isWanted: (x: number, y: number) => boolean,
  more: Partial<FloodOptions> = {},
): FloodOptions {
  return {
    grid,
    start: { x: 10.5, y: 10.5 },
    matcherOf: (tile) => {
      const { left, top } = tileRect(grid, tile);
      return Promise.resolve((offset: number) =>
        isWanted(left + (offset % tileSide), top + Math.floor(offset / tileSide)),
      );
    },
    limitPx: 1e9,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    ...more,
  };
}

/** The same by the plainest search there is. */
function plainFlood(isWanted: (x: number, y: number) => boolean): Set<number> {
  const found = new Set<number>();
  const open: (readonly [number, number])[] = [[10, 10]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [x, y] = next;
    const pixel = y * grid.widthPx + x;
    const isOutside = x < 0 || y < 0 || x >= grid.widthPx || y >= grid.heightPx;
    if (isOutside || found.has(pixel) || !isWanted(x, y)) continue;
    found.add(pixel);
    open.push([x - 1, y], [x + 1, y], [x, y - 1], [x, y + 1]);
  }
  return found;
}

describe('floodRegion', () => {
  const shapes: readonly (readonly [string, (x: number, y: number) => boolean])[] = [
    ['everything', () => true],
    ['a disc over four tiles', (x, y) => Math.hypot(x - 256, y - 256) < 250 && x + y > 19],
    ['a spiral of walls', (x, y) => x % 40 !== 20 || (x % 80 === 20 ? y < 5 : y > 510)],
    ['only the start', (x, y) => x === 10 && y === 10],
  ];
  it.each(shapes)('finds %s', async (_, isWanted) => {
    const region = await floodRegion(options(isWanted));
    const target = painter(grid);
    if (region !== undefined) paintRegion(grid, region, target.paint);
    const plain = plainFlood(isWanted);
    expect(region?.pixels).toBe(plain.size);
    expect(target.pixels).toEqual(plain);
  });

  it('finds nothing outside the image or where the start does not match', async () => {
    const outside = await floodRegion(options(() => true, { start: { x: -1, y: 4 } }));
    expect(outside?.pixels).toBe(0);
    expect((await floodRegion(options(() => false)))?.pixels).toBe(0);
  });

  it('gives up on a region above the limit', async () => {
    expect(await floodRegion(options(() => true, { limitPx: 100_000 }))).toBeUndefined();
  });

  it('ends when it is told to', async () => {
    const controller = new AbortController();
    const flood = floodRegion(options(() => true, { signal: controller.signal }));
    controller.abort(new Error('enough'));
    await expect(flood).rejects.toThrow('enough');
  });
});
