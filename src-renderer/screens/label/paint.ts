import type { Point } from './grid.ts';

/** Receives the pixels `from` up to but not including `to` of a row. */
export type PaintSpan = (row: number, from: number, to: number) => void;

export interface Canvas {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** A brush pulled from one point to another; a dab where they are the same. */
export interface Segment {
  readonly from: Point;
  readonly to: Point;
  readonly radiusPx: number;
  /** The disc at `from` is painted already: only what is new is painted. */
  readonly isContinued?: boolean;
}

/** A thinner brush would slip between the centres of pixels. */
const leastRadiusPx = 0.5;

/**
 * Paints the pixels whose centre a round brush covers on its way along a segment, each row once:
 * the work grows with the painted area and not with the image. The pixels below both ends are
 * always painted, so that the finest brush leaves a mark.
 */
export function paintSegment(canvas: Canvas, segment: Segment, paint: PaintSpan): void {
  const { from, to } = segment;
  const radius = Math.max(segment.radiusPx, leastRadiusPx);
  const first = Math.max(0, Math.floor(Math.min(from.y, to.y) - radius));
  const last = Math.min(canvas.heightPx - 1, Math.ceil(Math.max(from.y, to.y) + radius));
  const band = bandOf(from, to, radius);
  for (let row = first; row <= last; row++) {
    const y = row + 0.5;
    let low = Infinity;
    let high = -Infinity;
    for (const { x, y: centerY } of [from, to]) {
      const half = radius * radius - (y - centerY) ** 2;
      if (half < 0) continue;
      low = Math.min(low, x - Math.sqrt(half));
      high = Math.max(high, x + Math.sqrt(half));
    }
    for (const x of crossingsAt(band, y)) {
      low = Math.min(low, x);
      high = Math.max(high, x);
    }
    if (segment.isContinued === true)
      paintAround(canvas, { row, low, high }, { from, radius }, paint);
    else paintCentres(canvas, { row, low, high }, paint);
  }
  if (radius < 1) for (const end of [from, to]) paintPixel(canvas, end, paint);
}

/** Paints the pixels whose centre lies inside a polygon (even-odd rule), as datasets/ does. */
export function paintPolygon(canvas: Canvas, corners: readonly Point[], paint: PaintSpan): void {
  if (corners.length < 3) return;
  const ys = corners.map(({ y }) => y);
  const first = Math.max(0, Math.floor(Math.min(...ys)));
  const last = Math.min(canvas.heightPx - 1, Math.ceil(Math.max(...ys)));
  for (let row = first; row <= last; row++) {
    const crossings = crossingsAt(corners, row + 0.5);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      paintCentres(canvas, { row, low: crossings[i] ?? 0, high: crossings[i + 1] ?? 0 }, paint);
    }
  }
}

/** Where the edges cross a horizontal line, from left to right. */
function crossingsAt(corners: readonly Point[], y: number): number[] {
  const crossings: number[] = [];
  let previous = corners.at(-1);
  for (const corner of corners) {
    if (previous !== undefined && previous.y <= y !== corner.y <= y) {
      const share = (y - previous.y) / (corner.y - previous.y);
      crossings.push(previous.x + share * (corner.x - previous.x));
    }
    previous = corner;
  }
  return crossings.sort((a, b) => a - b);
}

/** The rectangle between the two round ends; empty for a dab. */
function bandOf(from: Point, to: Point, radius: number): Point[] {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length === 0) return [];
  const acrossX = ((from.y - to.y) / length) * radius;
  const acrossY = ((to.x - from.x) / length) * radius;
  return [
    { x: from.x + acrossX, y: from.y + acrossY },
    { x: to.x + acrossX, y: to.y + acrossY },
    { x: to.x - acrossX, y: to.y - acrossY },
    { x: from.x - acrossX, y: from.y - acrossY },
  ];
}

/** Paints the pixels of a row that a painted disc does not cover; most rows change at one end. */
function paintAround(
  canvas: Canvas,
  { row, low, high }: RowPart,
  disc: { readonly from: Point; readonly radius: number },
  paint: PaintSpan,
): void {
  const half = disc.radius ** 2 - (row + 0.5 - disc.from.y) ** 2;
  if (half < 0) return paintCentres(canvas, { row, low, high }, paint);
  const reach = Math.sqrt(half);
  paintCentres(canvas, { row, low, high: Math.min(high, disc.from.x - reach) }, paint);
  paintCentres(canvas, { row, low: Math.max(low, disc.from.x + reach), high }, paint);
}

/** A stretch of a row between two points. */
interface RowPart {
  readonly row: number;
  readonly low: number;
  readonly high: number;
}

/** Paints the pixels of a row whose centre lies between `low` and `high`. */
function paintCentres(canvas: Canvas, { row, low, high }: RowPart, paint: PaintSpan): void {
  const from = Math.max(0, Math.ceil(low - 0.5));
  const to = Math.min(canvas.widthPx, Math.ceil(high - 0.5));
  if (from < to) paint(row, from, to);
}

function paintPixel(canvas: Canvas, { x, y }: Point, paint: PaintSpan): void {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const isOnCanvas = column >= 0 && row >= 0 && column < canvas.widthPx && row < canvas.heightPx;
  if (isOnCanvas) paint(row, column, column + 1);
}
