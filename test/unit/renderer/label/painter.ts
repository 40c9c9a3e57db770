import type { Canvas, PaintSpan } from '../../../../src-renderer/screens/label/paint.ts';

/** Collects painted pixels as row * width + column, and checks that they lie on the canvas. */
export function painter(canvas: Canvas): {
  readonly paint: PaintSpan;
  readonly pixels: Set<number>;
} {
  const pixels = new Set<number>();
  const paint: PaintSpan = (row, from, to) => {
    if (row < 0 || row >= canvas.heightPx || from < 0 || to > canvas.widthPx) {
      throw new Error(`span ${row}, ${from}..${to} leaves the canvas`);
    }
    for (let column = from; column < to; column++) pixels.add(row * canvas.widthPx + column);
  };
  return { paint, pixels };
}
