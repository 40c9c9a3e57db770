import {
  notLabelled,
  offsetAt,
  tileAt,
  tileRect,
  tileSide,
  union,
  type Grid,
  type Rect,
} from './grid.ts';

/** Gets tiles from main; a tile that is not in the answer has no labels. */
export type LoadTiles = (tiles: readonly number[]) => Promise<ReadonlyMap<number, Uint8Array>>;

export interface TileStoreOptions {
  readonly grid: Grid;
  readonly load: LoadTiles;
  /** How many tiles stay in memory beyond those that are shown. */
  readonly capacity: number;
  /** Pixels that look different now. */
  readonly onChange: (rect: Rect) => void;
  readonly onFault: (error: unknown) => void;
}

const tilePixels = tileSide * tileSide;
const loadAtOnce = 64;

interface Tile {
  /** [tileSide, tileSide] class numbers. */
  pixels: Uint8Array;
  /** Someone else holds `pixels`: copy before writing. */
  isShared: boolean;
  /** Painted before it was loaded: which pixels the paint covers, nothing else being known. */
  painted: Uint8Array | undefined;
  /** Painted and not taken by `takeChanged` yet. */
  isChanged: boolean;
}

/**
 * The labels of one image, loaded tile by tile as they are needed. Painting never waits: paint on a
 * tile that is still being loaded is kept and laid over what arrives. Writing copies a tile first
 * when a snapshot of it is held, so snapshots cost nothing.
 */
export class TileStore {
  readonly grid: Grid;
  readonly #options: TileStoreOptions;
  /** In the order of their last use. */
  readonly #tiles = new Map<number, Tile>();
  readonly #loading = new Map<number, Promise<void>>();
  #shown: ReadonlySet<number> = new Set();
  #isDisposed = false;

  constructor(options: TileStoreOptions) {
    this.grid = options.grid;
    this.#options = options;
  }

  /** The class numbers of a tile as far as they are known; undefined while it is loaded. */
  pixels(tile: number): Uint8Array | undefined {
    return this.#tiles.get(tile)?.pixels;
  }

  /** True for a tile that certainly shows nothing. */
  isBlank(tile: number): boolean {
    const pixels = this.#tiles.get(tile)?.pixels;
    return pixels === undefined || pixels === emptyTile;
  }

  /** The class number of a pixel; not labelled while its tile is loaded. */
  valueAt(x: number, y: number): number {
    return this.#tiles.get(tileAt(this.grid, x, y))?.pixels[offsetAt(x, y)] ?? notLabelled;
  }

  /** Loads the tiles that are on screen, and keeps them. */
  show(tiles: readonly number[]): void {
    this.#shown = new Set(tiles);
    this.#load(tiles).catch(this.#options.onFault);
    this.#evict();
  }

  /** Waits until the stored labels of these tiles are known. @throws what loading throws */
  async ensure(tiles: readonly number[]): Promise<void> {
    await this.#load(tiles);
  }

  /** Writes a class number into the pixels `from` up to but not including `to` of a row. */
  fillSpan(row: number, from: number, to: number, value: number): void {
    for (let start = from; start < to;) {
      const end = Math.min(to, (Math.floor(start / tileSide) + 1) * tileSide);
      const offset = offsetAt(start, row);
      const tile = this.#writable(tileAt(this.grid, start, row));
      tile.pixels.fill(value, offset, offset + end - start);
      tile.painted?.fill(1, offset, offset + end - start);
      start = end;
    }
  }

  /** The tiles painted since the last call, complete, as they are now. */
  async takeChanged(): Promise<ReadonlyMap<number, Uint8Array>> {
    const changed = [...this.#tiles].filter(([, { isChanged }]) => isChanged);
    const taken = new Map<number, Uint8Array>();
    for (const [number, tile] of changed) {
      tile.isChanged = false;
      tile.isShared = true;
      taken.set(number, tile.pixels);
    }
    const partial = changed.flatMap(([number, { painted }]) => (painted ? [number] : []));
    if (partial.length === 0) return taken;
    try {
      await this.#load(partial);
    } catch (error) {
      for (const [, tile] of changed) tile.isChanged = true;
      throw error;
    }
    // A tile that was still on its way is stored as it is now that it came.
    for (const number of partial) taken.set(number, this.#share(number));
    return taken;
  }

  /** Shows what main has stored by itself, e.g. after undo. */
  replace(tiles: ReadonlyMap<number, Uint8Array>): void {
    for (const [number, pixels] of tiles) {
      this.#put(number, { pixels, isShared: true, painted: undefined, isChanged: false });
      this.#options.onChange(tileRect(this.grid, number));
    }
  }

  /** Forgets everything that is stored; what is on screen is loaded again. */
  async reload(): Promise<void> {
    const shown = [...this.#shown];
    const fresh = await this.#fetch(shown);
    if (this.#isDisposed) return;
    for (const [number, tile] of this.#tiles) {
      if (!tile.isChanged && !this.#shown.has(number)) this.#tiles.delete(number);
    }
    const isUnpainted = (number: number): boolean => this.#tiles.get(number)?.isChanged !== true;
    this.replace(new Map([...fresh].filter(([number]) => isUnpainted(number))));
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#tiles.clear();
  }

  #writable(number: number): Tile {
    const tile = this.#tiles.get(number);
    if (tile === undefined) {
      const fresh = {
        pixels: emptyTile.slice(),
        isShared: false,
        painted: new Uint8Array(tilePixels),
        isChanged: true,
      };
      this.#tiles.set(number, fresh);
      this.#load([number]).catch(this.#options.onFault);
      return fresh;
    }
    if (tile.isShared) {
      tile.pixels = tile.pixels.slice();
      tile.isShared = false;
    }
    tile.isChanged = true;
    return tile;
  }

  #share(number: number): Uint8Array {
    const tile = this.#tiles.get(number);
    if (tile === undefined) return emptyTile;
    tile.isShared = true;
    return tile.pixels;
  }

  async #load(tiles: readonly number[]): Promise<void> {
    const missing = tiles.filter((number) => {
      const tile = this.#tiles.get(number);
      return (tile === undefined || tile.painted !== undefined) && !this.#loading.has(number);
    });
    for (let at = 0; at < missing.length; at += loadAtOnce) {
      const some = missing.slice(at, at + loadAtOnce);
      const arrival = this.#fetch(some)
        .then((fresh) => this.#arrive(fresh))
        .finally(() => {
          for (const number of some) this.#loading.delete(number);
        });
      for (const number of some) this.#loading.set(number, arrival);
    }
    for (const arrival of new Set(tiles.map((number) => this.#loading.get(number)))) await arrival;
  }

  /** The stored labels of tiles; every one of them is in the answer. */
  async #fetch(tiles: readonly number[]): Promise<ReadonlyMap<number, Uint8Array>> {
    const stored =
      tiles.length === 0 ? new Map<number, Uint8Array>() : await this.#options.load(tiles);
    return new Map(tiles.map((number) => [number, stored.get(number) ?? emptyTile]));
  }

  #arrive(fresh: ReadonlyMap<number, Uint8Array>): void {
    if (this.#isDisposed) return;
    let changed: Rect | undefined;
    for (const [number, stored] of fresh) {
      const known = this.#tiles.get(number);
      if (known === undefined) {
        const tile = { pixels: stored, isShared: true, painted: undefined, isChanged: false };
        this.#put(number, tile);
      } else if (known.painted !== undefined) layUnder(known, known.painted, stored);
      changed = union(changed, tileRect(this.grid, number));
    }
    if (changed !== undefined) this.#options.onChange(changed);
    this.#evict();
  }

  #put(number: number, tile: Tile): void {
    this.#tiles.delete(number);
    this.#tiles.set(number, tile);
  }

  /** Drops tiles that were not used for long; never what is painted or shown. */
  #evict(): void {
    for (const number of this.#shown) {
      const tile = this.#tiles.get(number);
      if (tile !== undefined) this.#put(number, tile);
    }
    let surplus = this.#tiles.size - this.#shown.size - this.#options.capacity;
    for (const [number, tile] of this.#tiles) {
      if (surplus <= 0) return;
      if (tile.isChanged || tile.painted !== undefined || this.#shown.has(number)) continue;
      this.#tiles.delete(number);
      surplus--;
    }
  }
}

/** One for all tiles without labels. */
const emptyTile = new Uint8Array(tilePixels).fill(notLabelled);

/** Lays stored labels under paint that came before them. */
function layUnder(tile: Tile, painted: Uint8Array, stored: Uint8Array): void {
  tile.pixels = stored.map((value, offset) =>
    painted[offset] === 1 ? (tile.pixels[offset] ?? value) : value,
  );
  tile.isShared = false;
  tile.painted = undefined;
}
