import { tileKey, type TilePlace } from './tiles.ts';

/** What is freed when it is no longer needed; an ImageBitmap. */
interface Closable {
  close(): void;
}

export interface TileLoaderOptions<TTile> {
  readonly load: (place: TilePlace, signal: AbortSignal) => Promise<TTile>;
  /** A square arrived or could not be had. */
  readonly onChange: () => void;
  /** How many squares stay in memory. */
  readonly capacity?: number;
  /** How many are loaded at once; the connections to main are few. */
  readonly limit?: number;
}

/**
 * Squares of one picture: loads what is wanted in the order wanted, gives up what is no longer
 * wanted, and keeps what was used last.
 */
export class TileLoader<TTile extends Closable> {
  readonly #options: Required<TileLoaderOptions<TTile>>;
  /** Least recently used first. */
  readonly #tiles = new Map<string, TTile>();
  readonly #loading = new Map<string, AbortController>();
  readonly #failed = new Set<string>();
  /** Squares that are shown until their newer content is there. */
  readonly #stale = new Set<string>();
  #wanted: readonly TilePlace[] = [];
  #fault: unknown;
  #isDisposed = false;

  constructor(options: TileLoaderOptions<TTile>) {
    this.#options = { capacity: 320, limit: 3, ...options };
  }

  /** The newest reason why a square could not be had. */
  get fault(): unknown {
    return this.#fault;
  }

  has(place: TilePlace): boolean {
    return this.#tiles.has(tileKey(place));
  }

  /** The square if it is there; it then counts as used. */
  get(place: TilePlace): TTile | undefined {
    const key = tileKey(place);
    const tile = this.#tiles.get(key);
    if (tile === undefined) return undefined;
    this.#tiles.delete(key);
    this.#tiles.set(key, tile);
    return tile;
  }

  /** True when everything that is wanted is there or cannot be had. */
  get isComplete(): boolean {
    return this.#wanted.every((place) => this.has(place) || this.#failed.has(tileKey(place)));
  }

  /** Says which squares are in sight now, the most important first. */
  want(places: readonly TilePlace[]): void {
    this.#wanted = places;
    const keys = new Set(places.map(tileKey));
    for (const [key, controller] of this.#loading) if (!keys.has(key)) controller.abort();
    this.#next();
  }

  /** Squares that could not be had are asked for again. */
  retry(): void {
    this.#failed.clear();
    this.#fault = undefined;
    this.#next();
  }

  /** Squares whose content is new are loaded again; until then the old one is shown. */
  reload(isNew: (place: TilePlace) => boolean): void {
    for (const key of [...this.#tiles.keys(), ...this.#failed, ...this.#loading.keys()]) {
      const [level = 0, x = 0, y = 0] = key.split(' ').map(Number);
      if (!isNew({ level, x, y })) continue;
      this.#failed.delete(key);
      this.#stale.add(key);
    }
    this.#next();
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const controller of this.#loading.values()) controller.abort();
    for (const tile of this.#tiles.values()) tile.close();
    this.#tiles.clear();
  }

  #next(): void {
    for (const place of this.#wanted) {
      if (this.#isDisposed || this.#loading.size >= this.#options.limit) return;
      const key = tileKey(place);
      const isThere = this.#tiles.has(key) && !this.#stale.has(key);
      if (isThere || this.#loading.has(key) || this.#failed.has(key)) continue;
      void this.#load(place, key);
    }
  }

  async #load(place: TilePlace, key: string): Promise<void> {
    const controller = new AbortController();
    this.#loading.set(key, controller);
    this.#stale.delete(key);
    try {
      const tile = await this.#options.load(place, controller.signal);
      if (this.#isDisposed) return tile.close();
      this.#tiles.get(key)?.close();
      this.#tiles.set(key, tile);
      this.#evict();
    } catch (fault) {
      if (controller.signal.aborted) {
        if (this.#tiles.has(key)) this.#stale.add(key);
      } else {
        this.#failed.add(key);
        this.#fault = fault;
      }
    } finally {
      this.#loading.delete(key);
    }
    if (this.#isDisposed) return;
    this.#next();
    this.#options.onChange();
  }

  #evict(): void {
    for (const [key, tile] of this.#tiles) {
      if (this.#tiles.size <= this.#options.capacity) return;
      this.#tiles.delete(key);
      this.#stale.delete(key);
      tile.close();
    }
  }
}
