import { pictureUrl } from '../../client/pictures.ts';
import { tilePlace } from './label-tiles.ts';
import { tileSide, type Grid } from './grid.ts';

/** Where the pixels of the open image come from. */
export interface PictureSource {
  readonly imageId: string;
  /** Changes with the pixels. */
  readonly version: string;
}

/**
 * Red, green, blue and alpha of the image below a tile, [tileSide, tileSide, 4].
 * @throws Error when the picture cannot be loaded
 */
export async function picturePixels(
  { imageId, version }: PictureSource,
  grid: Grid,
  tile: number,
): Promise<Uint8ClampedArray> {
  const { x, y } = tilePlace(grid, tile);
  const answer = await fetch(pictureUrl('tile', [imageId], { level: 0, x, y, v: version }));
  if (!answer.ok) throw new Error('This part of the image cannot be read, so it was not filled.');
  const bitmap = await createImageBitmap(await answer.blob());
  const canvas = new OffscreenCanvas(tileSide, tileSide);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('This window has no 2D canvas');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, tileSide, tileSide).data;
}
