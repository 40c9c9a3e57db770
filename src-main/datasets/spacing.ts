import { openPixels } from './pixels.ts';

/**
 * Lower resolutions are those of screens and printers (72, 96, 300 dots an inch), which programs
 * write without having measured anything.
 */
const leastDotsPerInch = 500;

/** Side of a pixel in micrometers, when the file tells it believably. */
export async function readPixelSizeUm(path: string): Promise<number | undefined> {
  const { density } = await openPixels(path).metadata();
  return density === undefined || density < leastDotsPerInch ? undefined : 25_400 / density;
}
