import type { LabelEditor } from './editor.svelte.ts';
import { floodRegion, type Matcher } from './flood.ts';
import { isInside, offsetAt, tileAt, type Point } from './grid.ts';
import type { FillBy } from './settings.svelte.ts';
import { picturePixels, type PictureSource } from './picture-pixels.ts';

export interface FillOptions {
  readonly at: Point;
  readonly value: number;
  /** `region`: pixels of the same label; `color`: pixels of a similar color. */
  readonly by: FillBy;
  /** How far each of red, green and blue may be from the first pixel's, 0..255. */
  readonly tolerance: number;
  readonly picture: PictureSource;
  readonly signal: AbortSignal;
  readonly onProgress: (filledPx: number) => void;
}

/** A larger region is rather filled by "Fill the rest". */
export const limitPx = 50_000_000;

/**
 * Fills the region around a point, as one step of undo.
 * @returns false when the region is too large; nothing is painted then
 * @throws the signal's reason, and what loading pictures and labels throws
 */
export async function fillAt(editor: LabelEditor, options: FillOptions): Promise<boolean> {
  const { grid, store } = editor;
  const { at, value, signal, onProgress } = options;
  if (!isInside(grid, at)) return true;
  const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
  const first = tileAt(grid, x, y);
  await store.ensure([first]);
  const replaced = store.valueAt(x, y);
  if (options.by === 'region' && replaced === value) return true;
  const matcherOf =
    options.by === 'color' ? await colorMatcher(editor, options) : labelMatcher(editor, replaced);
  const region = await floodRegion({ grid, start: at, matcherOf, limitPx, signal, onProgress });
  if (region === undefined) return false;
  await store.ensure([...region.tiles.keys()]);
  editor.paintRegion(region, value);
  return true;
}

function labelMatcher({ store }: LabelEditor, value: number): (tile: number) => Promise<Matcher> {
  return async (tile) => {
    await store.ensure([tile]);
    const pixels = store.pixels(tile);
    return (offset) => pixels?.[offset] === value;
  };
}

async function colorMatcher(
  { grid }: LabelEditor,
  { at, tolerance, picture }: FillOptions,
): Promise<(tile: number) => Promise<Matcher>> {
  const [x, y] = [Math.floor(at.x), Math.floor(at.y)];
  const firstTile = await picturePixels(picture, grid, tileAt(grid, x, y));
  const start = offsetAt(x, y) * 4;
  const [red = 0, green = 0, blue = 0] = firstTile.subarray(start, start + 3);
  return async (tile) => {
    const pixels = await picturePixels(picture, grid, tile);
    return (offset) => {
      const pixel = offset * 4;
      return (
        Math.abs((pixels[pixel] ?? 0) - red) <= tolerance &&
        Math.abs((pixels[pixel + 1] ?? 0) - green) <= tolerance &&
        Math.abs((pixels[pixel + 2] ?? 0) - blue) <= tolerance
      );
    };
  };
}
