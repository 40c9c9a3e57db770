import type { ImageItem, ImageListFilter, ImageSort } from '../../../src-main/contract/images.ts';
import { client, sentenceOf } from '../../client/client.ts';
import { live } from '../../state/live.svelte.ts';

const pageSize = 200;
/** Pages far from what is shown are forgotten. */
const maxPages = 30;
/** While an import writes, the list is asked for again at most this often. */
const refreshMs = 1000;

/**
 * A long list of images that is loaded page by page, as it is looked at. `item` is undefined while
 * its page is on its way. Call `connect` in an effect.
 */
export class ImageList {
  /** Undefined until it is known. */
  count: number | undefined = $state();
  error: string | undefined = $state();
  readonly filter: ImageListFilter;
  readonly order: ImageSort;
  /** Changes whenever pages arrive; what reads items depends on it. */
  #version = $state(0);
  /** Least recently wanted first. */
  readonly #pages = new Map<number, readonly ImageItem[]>();
  readonly #loading = new Set<number>();
  #stale = new Set<number>();
  #refreshTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(filter: ImageListFilter, order: ImageSort) {
    this.filter = filter;
    this.order = order;
    void this.#loadCount();
    this.want(0, 1);
  }

  /** Another number whenever something arrived or may be out of date. */
  get version(): number {
    return this.#version;
  }

  /** Keeps the list fresh until the returned function is called. */
  connect(): () => void {
    const stop = live.listen(['images', 'labels'], () => {
      this.#refreshTimer ??= setTimeout(() => this.refresh(), refreshMs);
    });
    return () => {
      stop();
      clearTimeout(this.#refreshTimer);
    };
  }

  item(index: number): ImageItem | undefined {
    void this.#version;
    return this.#pages.get(Math.floor(index / pageSize))?.[index % pageSize];
  }

  /** Loads the pages that hold the items from `first` up to but not including `end`. */
  want(first: number, end: number): void {
    const last = Math.floor((end - 1) / pageSize);
    for (let page = Math.floor(first / pageSize); page <= last; page++) {
      const items = this.#pages.get(page);
      if (items !== undefined) {
        this.#pages.delete(page);
        this.#pages.set(page, items);
        if (!this.#stale.has(page)) continue;
      }
      if (!this.#loading.has(page)) void this.#load(page);
    }
  }

  /** Asks again for everything that is shown; what is known stays until the answer comes. */
  refresh(): void {
    this.#refreshTimer = undefined;
    this.#stale = new Set(this.#pages.keys());
    this.error = undefined;
    void this.#loadCount();
    // Whoever shows the list wants its pages again.
    this.#version++;
  }

  /** Where an image stands; undefined when it is not in this list. */
  async locate(imageId: string): Promise<number | undefined> {
    for (const [page, items] of this.#pages) {
      const place = items.findIndex(({ id }) => id === imageId);
      if (place >= 0) return page * pageSize + place;
    }
    const { index } = await client.images.locate({ ...this.filter, order: this.order, imageId });
    return index ?? undefined;
  }

  /** The item at a place, loaded when it must be. */
  async itemAt(index: number): Promise<ImageItem | undefined> {
    const page = Math.floor(index / pageSize);
    if (!this.#pages.has(page)) await this.#load(page);
    return this.item(index);
  }

  async #loadCount(): Promise<void> {
    try {
      this.count = (await client.images.count(this.filter)).count;
    } catch (fault) {
      this.error = sentenceOf(fault);
    }
  }

  async #load(page: number): Promise<void> {
    this.#loading.add(page);
    this.#stale.delete(page);
    try {
      const { filter, order } = this;
      const asked = { ...filter, order, offset: page * pageSize, limit: pageSize };
      this.#pages.set(page, await client.images.list(asked));
      this.#forget();
      this.#version++;
    } catch (fault) {
      this.error = sentenceOf(fault);
    } finally {
      this.#loading.delete(page);
    }
  }

  #forget(): void {
    for (const page of this.#pages.keys()) {
      if (this.#pages.size <= maxPages) return;
      this.#pages.delete(page);
    }
  }
}
