import { pictureUrl, type PictureParameters } from '../../client/pictures.ts';
import { isExact, toScreen, type Size, type View } from './camera.ts';
import { TileLoader } from './tile-loader.ts';
import {
  coarsestLevel,
  levelFor,
  standIn,
  tileArea,
  visibleTiles,
  type Area,
  type TilePlace,
} from './tiles.ts';

/** A picture that comes in squares: what the viewer shows, and what lies over it. */
export interface ViewerLayer {
  /** A kind of picture that takes `level`, `x` and `y`, e.g. `tile`. */
  readonly kind: string;
  readonly ids: readonly string[];
  readonly parameters?: PictureParameters;
  /** 0 to 1. */
  readonly opacity?: number;
  /** The address of the whole picture, small: shown until squares come. */
  readonly previewUrl?: string | undefined;
  /** The part of the canvas's width that it is seen in, from 0 to 1; for comparing two layers. */
  readonly within?: { readonly from: number; readonly to: number };
  /** For a picture that grows: what became ready, one after the other; it is loaded again there. */
  readonly ready?: readonly Area[];
}

/** The same text for layers that show the same squares. */
export function layerKey({ kind, ids, parameters = {} }: ViewerLayer): string {
  return JSON.stringify([kind, ids, parameters]);
}

/** Draws one layer, loading what is in sight. */
export class PictureLayer {
  readonly #image: Size;
  readonly #loader: TileLoader<ImageBitmap>;
  readonly #gone = new AbortController();
  #preview: ImageBitmap | undefined;
  /** How much of what became ready was taken notice of. */
  #known: number;

  constructor(image: Size, layer: ViewerLayer, onChange: () => void) {
    this.#image = image;
    const { kind, ids, parameters } = layer;
    this.#known = layer.ready?.length ?? 0;
    this.#loader = new TileLoader({
      load: (place, signal) =>
        loadBitmap(pictureUrl(kind, ids, { ...parameters, ...place }), signal),
      onChange,
    });
    if (layer.previewUrl !== undefined) void this.#loadPreview(layer.previewUrl, onChange);
  }

  /** True when everything in sight is there. */
  get isComplete(): boolean {
    return this.#loader.isComplete;
  }

  /** Why something cannot be shown, as a sentence. */
  get fault(): string | undefined {
    const { fault } = this.#loader;
    return fault instanceof Error ? fault.message : undefined;
  }

  retry(): void {
    this.#loader.retry();
  }

  /** Loads again what became ready since. */
  refresh(ready: readonly Area[] = []): void {
    const areas = ready.slice(this.#known);
    this.#known = ready.length;
    if (areas.length === 0) return;
    this.#loader.reload((place) => {
      const tile = tileArea(this.#image, place);
      return areas.some((area) => areTouching(tile, area));
    });
  }

  /** Draws what is there and asks for the rest. `context` is scaled to device pixels. */
  draw(context: CanvasRenderingContext2D, view: View, opacity: number): void {
    const level = levelFor(this.#image, view);
    const tiles = visibleTiles(this.#image, view, level);
    // The coarsest square first: it stands in for all others.
    const coarsest = { level: coarsestLevel(this.#image), x: 0, y: 0 };
    this.#loader.want(this.#loader.has(coarsest) ? tiles : [coarsest, ...tiles]);
    context.globalAlpha = opacity;
    context.imageSmoothingEnabled = !isExact(view);
    context.imageSmoothingQuality = 'medium';
    for (const tile of tiles) this.#drawTile(context, view, tile);
    context.globalAlpha = 1;
  }

  dispose(): void {
    this.#gone.abort();
    this.#preview?.close();
    this.#loader.dispose();
  }

  /** Only a stand-in: when it can't be had, the squares tell why. */
  async #loadPreview(url: string, onChange: () => void): Promise<void> {
    try {
      const preview = await loadBitmap(url, this.#gone.signal);
      if (this.#gone.signal.aborted) return preview.close();
      this.#preview = preview;
      onChange();
    } catch {
      this.#preview = undefined;
    }
  }

  #drawTile(context: CanvasRenderingContext2D, view: View, tile: TilePlace): void {
    const area = tileArea(this.#image, tile);
    const { pixelRatio } = view;
    const from = toScreen(view, { x: area.left, y: area.top });
    const to = toScreen(view, { x: area.right, y: area.bottom });
    // Whole device pixels, so that neighbors meet without a seam.
    const left = Math.round(from.x * pixelRatio);
    const top = Math.round(from.y * pixelRatio);
    const width = Math.round(to.x * pixelRatio) - left;
    const height = Math.round(to.y * pixelRatio) - top;
    const bitmap = this.#loader.get(tile);
    if (bitmap !== undefined) return context.drawImage(bitmap, left, top, width, height);
    const other = this.#standIn(tile, area);
    if (other === undefined) return;
    const { part } = other;
    context.drawImage(
      other.bitmap,
      part.left,
      part.top,
      part.widthPx,
      part.heightPx,
      left,
      top,
      width,
      height,
    );
  }

  /** The same area in a coarser square, or in the preview. */
  #standIn(tile: TilePlace, area: Area) {
    const part = standIn(this.#image, tile, (place) => this.#loader.has(place));
    const bitmap = part === undefined ? this.#preview : this.#loader.get(part.place);
    if (bitmap === undefined) return undefined;
    if (part !== undefined) return { bitmap, part };
    const x = bitmap.width / this.#image.widthPx;
    const y = bitmap.height / this.#image.heightPx;
    return {
      bitmap,
      part: {
        left: area.left * x,
        top: area.top * y,
        widthPx: (area.right - area.left) * x,
        heightPx: (area.bottom - area.top) * y,
      },
    };
  }
}

function areTouching(a: Area, b: Area): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** @throws Error with main's sentence when the picture cannot be made */
async function loadBitmap(url: string, signal: AbortSignal): Promise<ImageBitmap> {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new Error(await answer.text());
  return createImageBitmap(await answer.blob());
}
