export interface CanvasSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Receives pixels `from` up to but not including `to`, row-major. */
export type Paint = (from: number, to: number) => void;

/**
 * Paints the pixels whose centre lies inside a polygon (even-odd rule).
 * @param polygon x0, y0, x1, y1, ... in pixels; the corner of the first pixel is 0, 0
 */
export function fillPolygon(canvas: CanvasSize, polygon: readonly number[], paint: Paint): void {
  const corners = Math.floor(polygon.length / 2);
  if (corners < 3) return;
  const ys = polygon.filter((_, i) => i % 2 === 1);
  const first = Math.max(0, Math.floor(least(ys)));
  const last = Math.min(canvas.heightPx - 1, Math.ceil(-least(ys.map((y) => -y))));
  for (let row = first; row <= last; row++) {
    const crossings = crossingsAt(polygon, corners, row + 0.5);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil((crossings[i] ?? 0) - 0.5));
      const to = Math.min(canvas.widthPx, Math.ceil((crossings[i + 1] ?? 0) - 0.5));
      if (from < to) paint(row * canvas.widthPx + from, row * canvas.widthPx + to);
    }
  }
}

/** Paints pixels by run lengths that go down the columns: off, on, off, on... (COCO's order). */
export function fillRuns(canvas: CanvasSize, counts: readonly number[], paint: Paint): void {
  let position = 0;
  counts.forEach((count, i) => {
    if (i % 2 === 1) {
      for (let at = position; at < position + count; at++) {
        const column = Math.floor(at / canvas.heightPx);
        const row = at % canvas.heightPx;
        const pixel = row * canvas.widthPx + column;
        paint(pixel, pixel + 1);
      }
    }
    position += count;
  });
}

/** Where the edges cross a horizontal line, from left to right. */
function crossingsAt(polygon: readonly number[], corners: number, y: number): number[] {
  const crossings: number[] = [];
  for (let i = 0; i < corners; i++) {
    const next = (i + 1) % corners;
    const [x0, y0] = [polygon[i * 2] ?? 0, polygon[i * 2 + 1] ?? 0];
    const [x1, y1] = [polygon[next * 2] ?? 0, polygon[next * 2 + 1] ?? 0];
    if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
  }
  return crossings.sort((a, b) => a - b);
}

function least(values: readonly number[]): number {
  return values.reduce((low, value) => Math.min(low, value), Infinity);
}
