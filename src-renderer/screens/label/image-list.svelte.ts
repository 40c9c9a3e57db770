import { SvelteMap } from 'svelte/reactivity';
import type { ListedLabel } from '../../../src-main/contract/labels.ts';
import { client } from '../../client/client.ts';

export type ListShown = 'next' | 'started' | 'labelled' | 'proposals' | 'all';

const pageSize = 100;

/** The images beside the open one, loaded page by page as they come into sight. */
export class ImageList {
  shown: ListShown = $state('next');
  total = $state(0);
  readonly #pages = new SvelteMap<number, readonly ListedLabel[]>();
  readonly #asked = new Set<number>();
  #sight: readonly [first: number, last: number] = [0, 0];
  #version = 0;

  /** The image at a place of the list; undefined while its page is loaded. */
  at(index: number): ListedLabel | undefined {
    return this.#pages.get(Math.floor(index / pageSize))?.[index % pageSize];
  }

  /** Where an image stands, as far as its page was loaded. */
  indexOf(imageId: string): number | undefined {
    for (const [page, items] of this.#pages) {
      const at = items.findIndex((item) => item.imageId === imageId);
      if (at >= 0) return page * pageSize + at;
    }
    return undefined;
  }

  /** Loads what the places from `first` to `last` need. */
  async want(first: number, last: number): Promise<void> {
    this.#sight = [first, last];
    const missing = pagesOf(first, last).filter((page) => !this.#asked.has(page));
    await Promise.all(missing.map((page) => this.#load(page)));
  }

  /** The first part of the list that has images: the suggested ones, if there are any. */
  async begin(): Promise<void> {
    await this.refresh();
    if (this.total === 0) await this.choose('all');
  }

  async choose(shown: ListShown): Promise<void> {
    this.shown = shown;
    this.#pages.clear();
    this.#sight = [0, 0];
    await this.refresh();
  }

  /** Asks again for what is in sight; what is shown stays until the answer comes. */
  async refresh(): Promise<void> {
    this.#version++;
    const pages = pagesOf(...this.#sight);
    this.#asked.clear();
    for (const page of this.#pages.keys()) if (!pages.includes(page)) this.#pages.delete(page);
    await Promise.all(pages.map((page) => this.#load(page)));
  }

  async #load(page: number): Promise<void> {
    const version = this.#version;
    this.#asked.add(page);
    const { total, items } = await client.labels.list({
      show: this.shown,
      offset: page * pageSize,
      limit: pageSize,
    });
    if (version !== this.#version) return;
    this.total = total;
    this.#pages.set(page, items);
  }
}

function pagesOf(first: number, last: number): number[] {
  const from = Math.floor(first / pageSize);
  const to = Math.max(from, Math.floor(last / pageSize));
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
