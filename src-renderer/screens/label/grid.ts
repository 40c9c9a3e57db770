/** Labels are kept in square tiles of class numbers. */
export const tileSide = 256;

/** The class number of a pixel nobody labelled. */
export const notLabelled = 255;

/** In pixels of the image; the corner of the first pixel is 0, 0. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Whole pixels; `right` and `bottom` are not part of it. */
export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The tiles of one image, numbered row by row. */
export interface Grid {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly columns: number;
  readonly rows: number;
}

/** The tiles that cover an image. */
export function gridOf(widthPx: number, heightPx: number): Grid {
  const columns = Math.ceil(widthPx / tileSide);
  return { widthPx, heightPx, columns, rows: Math.ceil(heightPx / tileSide) };
}

/** The tile that holds a pixel. */
export function tileAt(grid: Grid, x: number, y: number): number {
  return Math.floor(y / tileSide) * grid.columns + Math.floor(x / tileSide);
}

/** Where a pixel stands in its tile. */
export function offsetAt(x: number, y: number): number {
  return (y % tileSide) * tileSide + (x % tileSide);
}

/** The pixels of a tile that lie on the image. */
export function tileRect(grid: Grid, tile: number): Rect {
  const left = (tile % grid.columns) * tileSide;
  const top = Math.floor(tile / grid.columns) * tileSide;
  return {
    left,
    top,
    right: Math.min(left + tileSide, grid.widthPx),
    bottom: Math.min(top + tileSide, grid.heightPx),
  };
}

/** The numbers of the tiles that a rectangle touches. */
export function tilesIn(grid: Grid, rect: Rect): number[] {
  const area = intersection(rect, wholeImage(grid));
  if (area === undefined) return [];
  const tiles: number[] = [];
  const lastRow = Math.floor((area.bottom - 1) / tileSide);
  const lastColumn = Math.floor((area.right - 1) / tileSide);
  for (let row = Math.floor(area.top / tileSide); row <= lastRow; row++) {
    for (let column = Math.floor(area.left / tileSide); column <= lastColumn; column++) {
      tiles.push(row * grid.columns + column);
    }
  }
  return tiles;
}

/** Every pixel of the image. */
export function wholeImage(grid: Grid): Rect {
  return { left: 0, top: 0, right: grid.widthPx, bottom: grid.heightPx };
}

/** True for a point on the image. */
export function isInside(grid: Grid, { x, y }: Point): boolean {
  return x >= 0 && y >= 0 && x < grid.widthPx && y < grid.heightPx;
}

/** What two rectangles share; undefined when that is nothing. */
export function intersection(a: Rect, b: Rect): Rect | undefined {
  const rect = {
    left: Math.max(a.left, b.left),
    top: Math.max(a.top, b.top),
    right: Math.min(a.right, b.right),
    bottom: Math.min(a.bottom, b.bottom),
  };
  return rect.left < rect.right && rect.top < rect.bottom ? rect : undefined;
}

/** The smallest rectangle around both. */
export function union(a: Rect | undefined, b: Rect): Rect {
  if (a === undefined) return b;
  return {
    left: Math.min(a.left, b.left),
    top: Math.min(a.top, b.top),
    right: Math.max(a.right, b.right),
    bottom: Math.max(a.bottom, b.bottom),
  };
}
