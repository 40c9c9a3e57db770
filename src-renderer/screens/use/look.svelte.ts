import { SvelteSet } from 'svelte/reactivity';
import type { Model } from '../../../src-main/contract/use.ts';

/** How predictions are shown; the same for every image until the window closes. */
class Look {
  /** Of the filled classes, 0 to 1. */
  opacity = $state(0.45);
  isShown = $state(true);
  hasOutline = $state(true);
  hasUncertainty = $state(false);
  /** Where the picture is divided while two models are compared, 0 to 1. */
  divider = $state(0.5);
  /** Side of a pixel as the user knows it, where files do not tell. */
  pixelSizeUm: number | undefined = $state();
  /** Names of hidden classes; models that share classes share this. */
  readonly hidden = new SvelteSet<string>(['background', 'unlabelled', 'unlabeled', 'void']);

  toggle({ name }: Model['classes'][number]): void {
    const key = name.toLowerCase();
    if (!this.hidden.delete(key)) this.hidden.add(key);
  }

  isHidden({ name }: Model['classes'][number]): boolean {
    return this.hidden.has(name.toLowerCase());
  }

  /** The hidden classes of a model as the address of a picture names them. */
  hiddenOf(model: Model): string {
    const indices = model.classes.filter((entry) => this.isHidden(entry)).map(({ index }) => index);
    return indices.length === 0 ? 'none' : indices.join('-');
  }
}

export const look = new Look();
