import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sharp } from 'sharp';
import { AppError, throwIfCancelled } from '../lib/errors.ts';
import { requireFreeSpace } from '../lib/files.ts';
import { openImage } from './decode.ts';
import { encodeTile } from './encode.ts';
import { decodeError } from './file-errors.ts';
import { uprightSize } from './image-facts.ts';
import type { PictureSource } from './picture-thumbnail.ts';
import { openPixels, openStack } from './pixels.ts';

const bandBytes = 128e6;
/** Squares are stored as they are: packing them would take longer than reading the picture. */
const bytesPerPixel = 4.2;
const being = new Map<string, Promise<void>>();

/**
 * One square of a picture that is too large to be held in memory, as a PNG. The first one makes all:
 * the picture is read once from top to bottom and kept in squares, at every size, in the cache.
 * @throws AppError `images.*`, `disk.full`
 */
export async function keptTile(
  source: PictureSource,
  cacheFolder: string,
  place: { readonly level: number; readonly x: number; readonly y: number },
  signal: AbortSignal,
): Promise<Uint8Array> {
  const folder = join(cacheFolder, source.sha256);
  if (!existsSync(folder)) {
    // Others may wait for the same picture, so that one who gives up does not end the work.
    const made = being.get(folder) ?? makeOnce(source, folder);
    await made;
  }
  throwIfCancelled(signal);
  const { widthPx, heightPx } = uprightSize(source.facts);
  const smallest = Math.ceil(Math.log2(Math.max(widthPx, heightPx)));
  const level = Math.max(0, smallest - place.level);
  return readFile(join(folder, `${stem}_files`, String(level), `${place.x}_${place.y}.png`));
}

function makeOnce(source: PictureSource, folder: string): Promise<void> {
  const made = make(source, folder).finally(() => being.delete(folder));
  being.set(folder, made);
  return made;
}

async function make(source: PictureSource, folder: string): Promise<void> {
  const { widthPx, heightPx } = uprightSize(source.facts);
  const temporary = `${folder}.${randomBytes(6).toString('hex')}.tmp`;
  await mkdir(temporary, { recursive: true });
  try {
    requireFreeSpace(temporary, widthPx * heightPx * bytesPerPixel);
    const picture = await uprightPicture(source, temporary);
    await picture
      .png({ compressionLevel: 0 })
      .tile({ size: 256, overlap: 0, layout: 'dz', depth: 'onepixel' })
      .toFile(join(temporary, `${stem}.dz`));
    await rm(join(temporary, bandFolder), { recursive: true, force: true });
    await rename(temporary, folder);
  } catch (cause) {
    await rm(temporary, { recursive: true, force: true });
    throw cause instanceof AppError ? cause : decodeError(cause, source.path);
  }
}

/** The picture as training sees it, to be read once from top to bottom. */
async function uprightPicture({ path, facts }: PictureSource, folder: string): Promise<Sharp> {
  if (facts.reading === 'color8') {
    return openPixels(path).autoOrient().flatten({ background: 'white' }).toColourspace('srgb');
  }
  // Deep pictures become 8-bit ones band by band, by our own rules.
  const image = await openImage(path, facts);
  const rowsPerBand = Math.max(1, Math.floor(bandBytes / (image.widthPx * 3)));
  const bands: string[] = [];
  await mkdir(join(folder, bandFolder));
  for (let topPx = 0; topPx < image.heightPx; topPx += rowsPerBand) {
    const rows = Math.min(rowsPerBand, image.heightPx - topPx);
    const data = await image.readRows(topPx, rows);
    const band = join(folder, bandFolder, `${bands.length}.png`);
    await writeFile(band, await encodeTile({ data, widthPx: image.widthPx, heightPx: rows }));
    bands.push(band);
  }
  return openStack(bands, image);
}

const stem = 'tiles';
const bandFolder = 'bands';
