/** A sample of a mask: for each pixel a place in the survey's list of values, 255 is none. */
export interface Slots {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly places: Uint8Array;
}

/** Reads the grey levels of a picture exactly as stored. */
export async function readSlots(url: string): Promise<Slots> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error('This mask is not kept any more.');
  const bitmap = await createImageBitmap(await answer.blob(), { colorSpaceConversion: 'none' });
  const { width: widthPx, height: heightPx } = bitmap;
  const context = new OffscreenCanvas(widthPx, heightPx).getContext('2d');
  if (context === null) throw new Error('This window has no 2D canvas');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, widthPx, heightPx);
  const places = new Uint8Array(widthPx * heightPx);
  for (let i = 0; i < places.length; i++) places[i] = data[i * 4] ?? 255;
  return { widthPx, heightPx, places };
}

/** Paints each pixel in the color of its value; without one it stays clear. */
export function paintSlots(
  canvas: HTMLCanvasElement,
  { widthPx, heightPx, places }: Slots,
  colors: readonly (string | undefined)[],
): void {
  const context = canvas.getContext('2d');
  if (context === null) return;
  const table = colors.map((color) => (color === undefined ? 0 : pixelOf(color)));
  const image = new ImageData(widthPx, heightPx);
  const pixels = new DataView(image.data.buffer);
  for (let i = 0; i < places.length; i++) pixels.setUint32(i * 4, table[places[i] ?? 255] ?? 0);
  context.putImageData(image, 0, 0);
}

/** Red, green, blue, opaque. */
function pixelOf(color: string): number {
  return ((Number.parseInt(color.slice(1), 16) << 8) | 0xff) >>> 0;
}
