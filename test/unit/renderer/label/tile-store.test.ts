import { describe, expect, it } from 'vitest';
import {
  gridOf,
  notLabelled,
  tileSide,
  type Rect,
} from '../../../../src-renderer/screens/label/grid.ts';
import { TileStore, type LoadTiles } from '../../../../src-renderer/screens/label/tile-store.ts';

const grid = gridOf(1000, 1000); // 4 x 4 tiles
const tilePixels = tileSide * tileSide;

function storeOf(load: LoadTiles, capacity = 100) {
  const changes: Rect[] = [];
  const faults: unknown[] = [];
  const store = new TileStore({
    grid,
    load,
    capacity,
    onChange: (rect) => changes.push(rect),
    onFault: (error) => faults.push(error),
  });
  return { store, changes, faults };
}

const filled = (value: number): Uint8Array => new Uint8Array(tilePixels).fill(value);
const nothingStored: LoadTiles = () => Promise.resolve(new Map());

describe('TileStore', () => {
  it('loads what is shown, once, and says which pixels changed', async () => {
    const asked: number[] = [];
    const { store, changes } = storeOf((tiles) => {
      asked.push(...tiles);
      return Promise.resolve(new Map([[1, filled(3)]]));
    });
    store.show([0, 1]);
    store.show([0, 1]);
    await store.ensure([0, 1]);
    expect(asked).toEqual([0, 1]);
    expect(store.valueAt(300, 10)).toBe(3);
    expect(store.valueAt(10, 10)).toBe(notLabelled);
    expect(changes).toEqual([{ left: 0, top: 0, right: 512, bottom: 256 }]);
  });

  it('paints spans across tiles', async () => {
    const { store } = storeOf(nothingStored);
    await store.ensure([0, 1, 2]);
    store.fillSpan(100, 250, 600, 4);
    expect([249, 250, 255, 256, 511, 512, 599, 600].map((x) => store.valueAt(x, 100))).toEqual([
      notLabelled,
      4,
      4,
      4,
      4,
      4,
      4,
      notLabelled,
    ]);
    expect([...(await store.takeChanged()).keys()]).toEqual([0, 1, 2]);
    expect((await store.takeChanged()).size).toBe(0);
  });

  it('hands out snapshots that later painting leaves alone', async () => {
    const { store } = storeOf(nothingStored);
    await store.ensure([0]);
    store.fillSpan(0, 0, 10, 1);
    const first = await store.takeChanged();
    store.fillSpan(0, 0, 10, 2);
    expect(first.get(0)?.[5]).toBe(1);
    expect((await store.takeChanged()).get(0)?.[5]).toBe(2);
  });

  it('keeps paint that came before the stored labels, also when erasing', async () => {
    let arrive: (tiles: ReadonlyMap<number, Uint8Array>) => void = () => undefined;
    const { store } = storeOf(() => new Promise((resolve) => (arrive = resolve)));
    store.show([0]);
    store.fillSpan(1, 0, 10, 2);
    store.fillSpan(2, 0, 10, notLabelled);
    expect(store.valueAt(3, 1)).toBe(2);
    expect(store.valueAt(3, 3)).toBe(notLabelled);
    const taking = store.takeChanged();
    arrive(new Map([[0, filled(7)]]));
    const pixels = (await taking).get(0);
    expect([pixels?.[0], pixels?.[tileSide], pixels?.[2 * tileSide]]).toEqual([7, 2, notLabelled]);
    expect(store.valueAt(3, 3)).toBe(7);
  });

  it('does not lose paint on a tile that cannot be loaded', async () => {
    let isBroken = true;
    const { store, faults } = storeOf(() =>
      isBroken ? Promise.reject(new Error('no answer')) : Promise.resolve(new Map()),
    );
    store.fillSpan(1, 0, 10, 2);
    await expect(store.takeChanged()).rejects.toThrow('no answer');
    expect(faults).toHaveLength(1);
    isBroken = false;
    const taken = await store.takeChanged();
    expect(taken.get(0)?.[tileSide]).toBe(2);
    expect(taken.get(0)?.[0]).toBe(notLabelled);
  });

  it('forgets what was not used for long, but neither paint nor what is shown', async () => {
    const { store } = storeOf(nothingStored, 2);
    store.show([0]);
    await store.ensure([0, 1, 2]);
    store.fillSpan(300, 0, 10, 1); // tile 4
    await store.ensure([4, 5, 6, 7]);
    expect(store.pixels(0)).toBeDefined();
    expect(store.pixels(4)).toBeDefined();
    expect(store.pixels(1)).toBeUndefined();
    expect(store.pixels(7)).toBeDefined();
  });

  it('shows what undo brought back, and reloads without losing paint', async () => {
    let stored = filled(1);
    const { store, changes } = storeOf((tiles) =>
      Promise.resolve(new Map(tiles.map((tile) => [tile, stored]))),
    );
    store.show([0, 1]);
    await store.ensure([0, 1]);
    changes.length = 0;
    store.replace(new Map([[0, filled(5)]]));
    expect(store.valueAt(0, 0)).toBe(5);
    expect(changes).toEqual([{ left: 0, top: 0, right: 256, bottom: 256 }]);
    store.fillSpan(0, 0, 5, 9);
    stored = filled(6);
    await store.reload();
    expect(store.valueAt(0, 0)).toBe(9);
    expect(store.valueAt(300, 0)).toBe(6);
  });
});
