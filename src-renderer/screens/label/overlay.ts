import type { Point } from './grid.ts';
import type { Gesture } from './tools.ts';
import { toImage, toScreen, type View } from '../../components/viewer/camera.ts';

/** What is drawn above picture and labels; the circle of the brush is an element of its own. */
export interface Overlay {
  readonly gesture: Gesture;
  /** Where the pointer or the keyboard's cross is, in pixels of the image. */
  readonly cursor: Point | undefined;
  readonly isKeyboard: boolean;
  /** Of the class that is painted. */
  readonly color: string;
}

/** Pixels of the image are told apart by lines from this scale on. */
const gridFromScale = 8;
const ink = '#ffffff';
const halo = 'rgb(0 0 0 / 65%)';

/** Draws the pixel grid, the polygon in hand and the cursor. */
export function drawOverlay(context: CanvasRenderingContext2D, view: View, overlay: Overlay): void {
  const { pixelRatio, widthPx, heightPx } = view;
  context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
  context.clearRect(0, 0, widthPx, heightPx);
  if (view.scale >= gridFromScale) drawPixelGrid(context, view);
  if (overlay.gesture.type === 'polygon') {
    drawPolygon(context, view, overlay.gesture.corners, overlay);
  }
  if (overlay.cursor !== undefined && overlay.isKeyboard) drawCross(context, view, overlay.cursor);
}

function drawPixelGrid(context: CanvasRenderingContext2D, view: View): void {
  const end = toImage(view, { x: view.widthPx, y: view.heightPx });
  context.beginPath();
  for (let x = Math.ceil(view.left); x <= end.x; x++) {
    const at = Math.round((x - view.left) * view.scale) + 0.5;
    context.moveTo(at, 0);
    context.lineTo(at, view.heightPx);
  }
  for (let y = Math.ceil(view.top); y <= end.y; y++) {
    const at = Math.round((y - view.top) * view.scale) + 0.5;
    context.moveTo(0, at);
    context.lineTo(view.widthPx, at);
  }
  context.lineWidth = 1;
  context.strokeStyle = 'rgb(128 128 128 / 35%)';
  context.stroke();
}

function drawPolygon(
  context: CanvasRenderingContext2D,
  view: View,
  corners: readonly Point[],
  { cursor, color }: Overlay,
): void {
  const points = corners.map((corner) => toScreen(view, corner));
  const line = new Path2D();
  for (const { x, y } of points) line.lineTo(x, y);
  if (cursor !== undefined) {
    const { x, y } = toScreen(view, cursor);
    line.lineTo(x, y);
  }
  context.globalAlpha = 0.25;
  context.fillStyle = color;
  context.fill(line);
  context.globalAlpha = 1;
  strokeTwice(context, line);
  const [first] = points;
  for (const point of points) {
    const isFirst = point === first;
    const dot = new Path2D();
    dot.arc(point.x, point.y, isFirst ? 5 : 3, 0, 2 * Math.PI);
    strokeTwice(context, dot);
    context.fillStyle = isFirst && corners.length > 2 ? ink : color;
    context.fill(dot);
  }
}

function drawCross(context: CanvasRenderingContext2D, view: View, cursor: Point): void {
  const { x, y } = toScreen(view, cursor);
  const cross = new Path2D();
  for (const [from, to] of [
    [4, 14],
    [-14, -4],
  ] as const) {
    cross.moveTo(x + from, y);
    cross.lineTo(x + to, y);
    cross.moveTo(x, y + from);
    cross.lineTo(x, y + to);
  }
  strokeTwice(context, cross);
}

/** A bright line with a dark rim is seen on every picture. */
function strokeTwice(context: CanvasRenderingContext2D, path: Path2D): void {
  context.strokeStyle = halo;
  context.lineWidth = 3;
  context.stroke(path);
  context.strokeStyle = ink;
  context.lineWidth = 1.25;
  context.stroke(path);
}
