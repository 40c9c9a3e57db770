import {
  atLevel,
  coarsestLevel,
  filledPixels,
  outlinedPixels,
  type ClassColors,
} from './class-pixels.ts';
import { intersection, tilesIn, union, wholeImage, type Rect } from './grid.ts';
import type { TileStore } from './tile-store.ts';
import { toScreen, type View } from '../../components/viewer/camera.ts';

/** A square of one level, drawn once and kept. */
interface Block {
  readonly context: OffscreenCanvasRenderingContext2D;
  /** Pixels of the level that this block shows. */
  readonly rect: Rect;
  readonly level: number;
  /** Pixels of the level that must be drawn again. */
  stale: Rect[];
}

const blockSide = 256;
const blocksKept = 192;
/** How long new blocks may be drawn in one frame. */
const buildMs = 10;

/**
 * Shows the labels above the picture. They are drawn into squares of 256 x 256 pixels at the level of
 * detail that the screen shows, so a frame costs as much as the screen is large, however large the
 * image is; after a stroke only the pixels around it are drawn again.
 */
export class ClassLayer {
  readonly #context: CanvasRenderingContext2D;
  readonly #store: TileStore;
  readonly #blocks = new Map<string, Block>();
  #colors: ClassColors = new Uint32Array(256);
  #isOutline = false;
  #changed: Rect[] = [];
  #lastView: View | undefined;

  constructor(canvas: HTMLCanvasElement, store: TileStore) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('This window has no 2D canvas');
    this.#context = context;
    this.#store = store;
  }

  setStyle(colors: ClassColors, isOutline: boolean): void {
    this.#colors = colors;
    this.#isOutline = isOutline;
    this.#blocks.clear();
    this.#lastView = undefined;
  }

  /** Pixels of the image that look different now. */
  invalidate(rect: Rect): void {
    // Between two frames a brush passes many points side by side: that is one area.
    const last = this.#changed.at(-1);
    const both = union(last, rect);
    if (last === undefined || areaOf(both) > areaOf(last) + areaOf(rect)) this.#changed.push(rect);
    else this.#changed.splice(-1, 1, both);
  }

  /** Draws what is not on the canvas yet. @returns false when more is to be drawn in a next frame */
  draw(view: View): boolean {
    const changed = this.#changed;
    this.#changed = [];
    for (const rect of changed) this.#markStale(rect);
    const isSameView = this.#lastView === view;
    this.#lastView = view;
    if (!isSameView) return this.#drawAll(view);
    let isComplete = true;
    for (const rect of changed) isComplete = this.#drawPart(view, rect) && isComplete;
    if (!isComplete) this.#lastView = undefined;
    return isComplete;
  }

  dispose(): void {
    this.#blocks.clear();
  }

  #drawAll(view: View): boolean {
    const { canvas } = this.#context;
    const width = Math.round(view.widthPx * view.pixelRatio);
    const height = Math.round(view.heightPx * view.pixelRatio);
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    this.#context.clearRect(0, 0, width, height);
    const isComplete = this.#drawBlocks(view, wholeImage(this.#store.grid));
    if (!isComplete) this.#lastView = undefined;
    return isComplete;
  }

  #drawPart(view: View, rect: Rect): boolean {
    const context = this.#context;
    const { pixelRatio: ratio } = view;
    const margin = 2 ** levelOf(view);
    const from = toScreen(view, { x: rect.left - margin, y: rect.top - margin });
    const to = toScreen(view, { x: rect.right + margin, y: rect.bottom + margin });
    const [left, top] = [Math.floor(from.x * ratio), Math.floor(from.y * ratio)];
    const [right, bottom] = [Math.ceil(to.x * ratio), Math.ceil(to.y * ratio)];
    context.save();
    context.beginPath();
    context.rect(left, top, right - left, bottom - top);
    context.clip();
    context.clearRect(left, top, right - left, bottom - top);
    const isComplete = this.#drawBlocks(view, {
      left: rect.left - margin,
      top: rect.top - margin,
      right: rect.right + margin,
      bottom: rect.bottom + margin,
    });
    context.restore();
    return isComplete;
  }

  /** Draws the blocks that show a part of the image and lie on the screen. */
  #drawBlocks(view: View, part: Rect): boolean {
    const shown = intersection(part, {
      left: view.left,
      top: view.top,
      right: view.left + view.widthPx / view.scale,
      bottom: view.top + view.heightPx / view.scale,
    });
    if (shown === undefined) return true;
    const level = levelOf(view);
    const rect = atLevel(shown, level);
    const end = performance.now() + buildMs;
    let isComplete = true;
    this.#context.imageSmoothingEnabled = false;
    for (let y = Math.floor(rect.top / blockSide); y * blockSide < rect.bottom; y++) {
      for (let x = Math.floor(rect.left / blockSide); x * blockSide < rect.right; x++) {
        const block = performance.now() < end ? this.#block(level, x, y) : 'later';
        if (block === 'later') isComplete = false;
        else if (block !== undefined) this.#drawBlock(view, block);
      }
    }
    return isComplete;
  }

  #drawBlock(view: View, { rect, level, context }: Block): void {
    const step = 2 ** level;
    const from = toScreen(view, { x: rect.left * step, y: rect.top * step });
    const side = blockSide * step * view.scale * view.pixelRatio;
    const [x, y] = [from.x * view.pixelRatio, from.y * view.pixelRatio];
    this.#context.drawImage(context.canvas, x, y, side, side);
  }

  /** The block in a column and row of a level, up to date; undefined where nothing is labelled. */
  #block(level: number, x: number, y: number): Block | undefined {
    const key = `${level} ${x} ${y}`;
    const known = this.#blocks.get(key);
    if (known !== undefined) {
      this.#blocks.delete(key);
      this.#blocks.set(key, known); // used last
      this.#refresh(known);
      return known;
    }
    const rect = {
      left: x * blockSide,
      top: y * blockSide,
      right: (x + 1) * blockSide,
      bottom: (y + 1) * blockSide,
    };
    const step = 2 ** level;
    const tiles = tilesIn(this.#store.grid, {
      left: rect.left * step,
      top: rect.top * step,
      right: rect.right * step,
      bottom: rect.bottom * step,
    });
    if (tiles.every((tile) => this.#store.isBlank(tile))) return undefined;
    const context = new OffscreenCanvas(blockSide, blockSide).getContext('2d');
    if (context === null) return undefined;
    const block: Block = { context, rect, level, stale: [rect] };
    this.#refresh(block);
    this.#blocks.set(key, block);
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size > blocksKept && oldest !== undefined) this.#blocks.delete(oldest);
    return block;
  }

  #refresh(block: Block): void {
    const pixelsOf = this.#isOutline ? outlinedPixels : filledPixels;
    for (const rect of block.stale) {
      const width = rect.right - rect.left;
      const words = pixelsOf(this.#store, block.level, rect, this.#colors);
      const data = new ImageData(new Uint8ClampedArray(words.buffer), width);
      block.context.putImageData(data, rect.left - block.rect.left, rect.top - block.rect.top);
    }
    block.stale = [];
  }

  #markStale(changed: Rect): void {
    const margin = this.#isOutline ? 1 : 0; // an outline depends on the pixels beside it
    for (const block of this.#blocks.values()) {
      const rect = atLevel(changed, block.level);
      const part = intersection(block.rect, {
        left: rect.left - margin,
        top: rect.top - margin,
        right: rect.right + margin,
        bottom: rect.bottom + margin,
      });
      if (part !== undefined) block.stale.push(part);
    }
  }
}

function areaOf({ left, top, right, bottom }: Rect): number {
  return (right - left) * (bottom - top);
}

/** The level whose pixels are nearest to those of the screen. */
function levelOf(view: View): number {
  const level = Math.round(Math.log2(1 / (view.scale * view.pixelRatio)));
  return Math.min(coarsestLevel, Math.max(0, level));
}
