/** Screen or image pixels, from the upper left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** Which part of the image the canvas shows. A new object for every new position. */
export interface View {
  /** The point of the image in the canvas's corner. */
  readonly left: number;
  readonly top: number;
  /** Screen pixels (CSS) for one pixel of the image. */
  readonly scale: number;
  /** The canvas, in screen pixels. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** Pixels of the device for one of the screen. */
  readonly pixelRatio: number;
}

/** One pixel of the image becomes at most this many. */
const largestScale = 64;
/** Small images are not made larger than this when they are fitted. */
const largestFit = 8;
/** How much of the image always stays in sight, in screen pixels. */
const inSightPx = 64;
const fitMarginPx = 16;
/** Above this the pixels of the image are shown as squares. */
const exactAbove = 2;

/** From the image to the canvas, in screen pixels. */
export function toScreen(view: View, { x, y }: Point): Point {
  return { x: (x - view.left) * view.scale, y: (y - view.top) * view.scale };
}

/** From the canvas to the image. */
export function toImage(view: View, { x, y }: Point): Point {
  return { x: view.left + x / view.scale, y: view.top + y / view.scale };
}

/** The whole image in the middle of a canvas. */
export function fitted(image: Size, canvas: Size & { readonly pixelRatio: number }): View {
  const scale = Math.min(
    largestFit,
    Math.max(1, canvas.widthPx - 2 * fitMarginPx) / image.widthPx,
    Math.max(1, canvas.heightPx - 2 * fitMarginPx) / image.heightPx,
  );
  return {
    widthPx: canvas.widthPx,
    heightPx: canvas.heightPx,
    pixelRatio: canvas.pixelRatio,
    scale,
    left: (image.widthPx - canvas.widthPx / scale) / 2,
    top: (image.heightPx - canvas.heightPx / scale) / 2,
  };
}

/** Another scale; the point of the image at `at` (on the canvas) stays where it is. */
export function zoomed(image: Size, view: View, at: Point, scale: number): View {
  const smallest = Math.min(1, fitted(image, view).scale) / 4;
  const next = Math.min(largestScale, Math.max(smallest, scale));
  const fixed = toImage(view, at);
  return inSight(image, {
    ...view,
    scale: next,
    left: fixed.x - at.x / next,
    top: fixed.y - at.y / next,
  });
}

/** The picture pulled by some screen pixels. */
export function panned(image: Size, view: View, by: Point): View {
  const left = view.left - by.x / view.scale;
  const top = view.top - by.y / view.scale;
  return inSight(image, { ...view, left, top });
}

/** The view moved as little as is needed to show a point, away from the edges. */
export function showing(image: Size, view: View, point: Point): View {
  const at = toScreen(view, point);
  const margin = Math.min(inSightPx, view.widthPx / 4, view.heightPx / 4);
  return panned(image, view, {
    x: Math.max(margin - at.x, 0) + Math.min(view.widthPx - margin - at.x, 0),
    y: Math.max(margin - at.y, 0) + Math.min(view.heightPx - margin - at.y, 0),
  });
}

/** The same place on a canvas of another size: the point in the middle stays there. */
export function resized(view: View, canvas: Size, pixelRatio: number): View {
  const dx = (view.widthPx - canvas.widthPx) / 2 / view.scale;
  const dy = (view.heightPx - canvas.heightPx) / 2 / view.scale;
  const { widthPx, heightPx } = canvas;
  return { ...view, widthPx, heightPx, pixelRatio, left: view.left + dx, top: view.top + dy };
}

/** The middle of the canvas. */
export function middle(view: View): Point {
  return { x: view.widthPx / 2, y: view.heightPx / 2 };
}

/** True when pixels of the image shall be seen as they are, as squares. */
export function isExact(view: View): boolean {
  return view.scale * view.pixelRatio > exactAbove;
}

/** Moves the view so that some of the image stays in sight. */
function inSight(image: Size, view: View): View {
  const x = Math.min(inSightPx, image.widthPx * view.scale) / view.scale;
  const y = Math.min(inSightPx, image.heightPx * view.scale) / view.scale;
  const [width, height] = [view.widthPx / view.scale, view.heightPx / view.scale];
  return {
    ...view,
    left: Math.min(Math.max(view.left, x - width), image.widthPx - x),
    top: Math.min(Math.max(view.top, y - height), image.heightPx - y),
  };
}
