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
    const pages: number[] = [];
    for (let page = Math.floor(first / pageSize); page * pageSize <= last; page++) {
      if (!this.#asked.has(page)) pages.push(page);
    }
    await Promise.all(pages.map((page) => this.#load(page)));
  }

  /** The first part of the list that has images: the suggested ones, if there are any. */
  async begin(): Promise<void> {
    await this.refresh();
    if (this.total === 0) await this.choose('all');
  }

  async choose(shown: ListShown): Promise<void> {
    this.shown = shown;
    this.#pages.clear();
    await this.refresh();
  }

  /** Asks again for what is in sight; what is shown stays until the answer comes. */
  async refresh(): Promise<void> {
    this.#version++;
    const pages = this.#asked.size === 0 ? [0] : [...this.#asked];
    this.#asked.clear();
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
