import type { Size, View } from './camera.ts';
import { layerKey, PictureLayer, type ViewerLayer } from './picture-layer.ts';

interface Drawn {
  readonly key: string;
  readonly layer: PictureLayer;
  opacity: number;
  within: ViewerLayer['within'];
  /** What stood in this place before, shown until this one is there. */
  before: PictureLayer | undefined;
}

/** The layers of a viewer, from the bottom up. A layer that changes stays until the new one is loaded. */
export class LayerStack {
  readonly #image: Size;
  readonly #onChange: () => void;
  #drawn: readonly Drawn[] = [];

  constructor(image: Size, onChange: () => void) {
    this.#image = image;
    this.#onChange = onChange;
  }

  /** Why something cannot be shown, as a sentence. */
  get fault(): string | undefined {
    return this.#drawn.map(({ layer }) => layer.fault).find((fault) => fault !== undefined);
  }

  set(layers: readonly ViewerLayer[]): void {
    const old = new Map(this.#drawn.map((drawn) => [drawn.key, drawn]));
    const kept = new Set<PictureLayer>();
    const next = layers.map((wanted, place): Drawn => {
      const key = layerKey(wanted);
      const { opacity = 1, within } = wanted;
      const known = old.get(key);
      if (known !== undefined) {
        kept.add(known.layer);
        if (known.before !== undefined) kept.add(known.before);
        known.layer.refresh(wanted.ready);
        return Object.assign(known, { opacity, within });
      }
      const layer = new PictureLayer(this.#image, wanted, this.#onChange);
      // Only a layer of the same kind of picture is a likeness of the new one.
      const likeness = this.#drawn[place];
      const before = likeness?.key.startsWith(stem(wanted)) ? likeness.layer : undefined;
      if (before !== undefined) kept.add(before);
      return { key, layer, opacity, within, before };
    });
    for (const { layer, before } of this.#drawn) {
      if (!kept.has(layer)) layer.dispose();
      if (before !== undefined && !kept.has(before)) before.dispose();
    }
    this.#drawn = next;
    this.#onChange();
  }

  draw(context: CanvasRenderingContext2D, view: View): void {
    for (const drawn of this.#drawn) {
      context.save();
      clip(context, drawn.within);
      this.#drawOne(context, view, drawn);
      context.restore();
    }
  }

  #drawOne(context: CanvasRenderingContext2D, view: View, drawn: Drawn): void {
    const { layer, opacity, before } = drawn;
    before?.draw(context, view, opacity);
    if (before === undefined || opacity === 1) layer.draw(context, view, opacity);
    else layer.draw(context, view, 0); // asks for its squares, is not seen through yet
    if (before === undefined || !layer.isComplete) return;
    before.dispose();
    drawn.before = undefined;
    if (opacity < 1) this.#onChange();
  }

  retry(): void {
    for (const { layer } of this.#drawn) layer.retry();
  }

  dispose(): void {
    for (const { layer, before } of this.#drawn) {
      layer.dispose();
      before?.dispose();
    }
    this.#drawn = [];
  }
}

function clip(context: CanvasRenderingContext2D, within: ViewerLayer['within']): void {
  if (within === undefined) return;
  const { width, height } = context.canvas;
  context.beginPath();
  context.rect(within.from * width, 0, (within.to - within.from) * width, height);
  context.clip();
}

/** Kind and ids, as `layerKey` begins. */
function stem({ kind, ids }: ViewerLayer): string {
  return JSON.stringify([kind, ids]).slice(0, -1);
}
