import { pictureUrl } from '../../client/pictures.ts';
import { autoLevels, type Levels } from './window-level.ts';

/** Levels with good contrast for an image, from its thumbnail. @throws what loading throws */
export async function pictureLevels(imageId: string, version: string): Promise<Levels> {
  const answer = await fetch(pictureUrl('thumb', [imageId], { size: 256, v: version }));
  if (!answer.ok) throw new Error(await answer.text());
  const bitmap = await createImageBitmap(await answer.blob());
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext('2d');
  if (context === null) throw new Error('This window has no 2D canvas.');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return autoLevels(context.getImageData(0, 0, width, height).data);
}
