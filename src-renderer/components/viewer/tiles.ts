import { toImage, type Size, type View } from './camera.ts';

/** Side of the squares in which pictures come, in their own pixels. */
export const tileSidePx = 256;

/** One square of a picture made smaller by 2^level. */
export interface TilePlace {
  readonly level: number;
  readonly x: number;
  readonly y: number;
}

/** A part of a square, in its own pixels. */
export interface TilePart {
  readonly place: TilePlace;
  readonly left: number;
  readonly top: number;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** The smallest version that still has a pixel for every pixel of the device. */
export function levelFor(image: Size, view: View): number {
  const level = Math.floor(Math.log2(1 / (view.scale * view.pixelRatio)));
  return Math.min(Math.max(0, level), coarsestLevel(image));
}

/** The version that fits into one square. */
export function coarsestLevel(image: Size): number {
  const side = Math.max(image.widthPx, image.heightPx);
  return Math.max(0, Math.ceil(Math.log2(side / tileSidePx)));
}

/** The squares that are in sight, from the middle of the canvas outwards. */
export function visibleTiles(image: Size, view: View, level: number): TilePlace[] {
  const sidePx = tileSidePx * 2 ** level;
  const first = toImage(view, { x: 0, y: 0 });
  const end = toImage(view, { x: view.widthPx, y: view.heightPx });
  const columns = range(first.x, end.x, image.widthPx, sidePx);
  const rows = range(first.y, end.y, image.heightPx, sidePx);
  const center = { x: (first.x + end.x) / 2 / sidePx, y: (first.y + end.y) / 2 / sidePx };
  const distance = ({ x, y }: TilePlace): number =>
    Math.hypot(x + 0.5 - center.x, y + 0.5 - center.y);
  return rows
    .flatMap((y) => columns.map((x) => ({ level, x, y })))
    .sort((a, b) => distance(a) - distance(b));
}

/** A part of the image, in its pixels; `right` and `bottom` are not part of it. */
export interface Area {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The part of the image that a square covers. */
export function tileArea(image: Size, { level, x, y }: TilePlace): Area {
  const sidePx = tileSidePx * 2 ** level;
  return {
    left: x * sidePx,
    top: y * sidePx,
    right: Math.min(image.widthPx, (x + 1) * sidePx),
    bottom: Math.min(image.heightPx, (y + 1) * sidePx),
  };
}

/**
 * What can stand in for a square while it is loaded: the same area in a coarser one, the finest that
 * `has` knows; undefined when there is none.
 */
export function standIn(
  image: Size,
  wanted: TilePlace,
  has: (place: TilePlace) => boolean,
): TilePart | undefined {
  for (let up = 1; wanted.level + up <= coarsestLevel(image); up++) {
    const shrink = 2 ** up;
    const place = {
      level: wanted.level + up,
      x: Math.floor(wanted.x / shrink),
      y: Math.floor(wanted.y / shrink),
    };
    if (!has(place)) continue;
    const pixelPx = 2 ** place.level;
    const area = tileArea(image, wanted);
    return {
      place,
      left: area.left / pixelPx - place.x * tileSidePx,
      top: area.top / pixelPx - place.y * tileSidePx,
      widthPx: (area.right - area.left) / pixelPx,
      heightPx: (area.bottom - area.top) / pixelPx,
    };
  }
  return undefined;
}

/** The name of a square in a cache. */
export function tileKey({ level, x, y }: TilePlace): string {
  return `${level} ${x} ${y}`;
}

function range(from: number, to: number, limit: number, sidePx: number): number[] {
  const first = Math.max(0, Math.floor(from / sidePx));
  const last = Math.min(Math.ceil(limit / sidePx), Math.ceil(to / sidePx)) - 1;
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}
