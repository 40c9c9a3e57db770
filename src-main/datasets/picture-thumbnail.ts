import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadFile, openImage } from './decode.ts';
import { encodePicture } from './encode.ts';
import { decodeError } from './file-errors.ts';
import { uprightSize, type ImageFacts } from './image-facts.ts';
import { openPixels } from './pixels.ts';

/** An image file as it was imported. */
export interface PictureSource {
  readonly path: string;
  readonly sha256: string;
  readonly facts: ImageFacts;
}

/** Sizes that are kept; any other is made smaller from the next one by whoever shows it. */
const keptSizesPx = [128, 256, 512, 1024];
const quality = 82;

/**
 * The whole picture as a JPEG that fits into a square of at least `sizePx` (smaller pictures stay as
 * they are), from the cache folder or put there. Named by content: copies share it.
 * @throws AppError `images.*`
 */
export async function thumbnail(
  source: PictureSource,
  cacheFolder: string,
  sizePx: number,
): Promise<Uint8Array> {
  const keptPx = keptSizesPx.find((kept) => kept >= sizePx) ?? 1024;
  const { sha256 } = source;
  const file = join(cacheFolder, sha256.slice(0, 2), `${sha256}-${keptPx}.jpg`);
  const kept = await readFile(file).catch(() => undefined);
  if (kept !== undefined && isWholeJpeg(kept)) return kept;
  const bytes = await makeThumbnail(source, keptPx);
  await keep(file, bytes);
  return bytes;
}

/** The size of a picture that is made to fit into a square, never larger than it is. */
export function fitInside(
  size: { readonly widthPx: number; readonly heightPx: number },
  sidePx: number,
): { readonly widthPx: number; readonly heightPx: number } {
  const scale = Math.min(1, sidePx / Math.max(size.widthPx, size.heightPx));
  return {
    widthPx: Math.max(1, Math.round(size.widthPx * scale)),
    heightPx: Math.max(1, Math.round(size.heightPx * scale)),
  };
}

async function makeThumbnail({ path, facts }: PictureSource, sidePx: number): Promise<Uint8Array> {
  const size = fitInside(uprightSize(facts), sidePx);
  if (facts.reading !== 'color8') {
    const image = await openImage(path, facts);
    const data = await image.readScaledRows({ ...size, topPx: 0, rows: size.heightPx });
    return encodePicture({ data, ...size }, 'jpg');
  }
  const { input } = await loadFile(path);
  try {
    return await openPixels(input)
      .autoOrient()
      .resize({ width: size.widthPx, height: size.heightPx, fit: 'fill' })
      .flatten({ background: 'white' })
      .toColourspace('srgb')
      .jpeg({ quality })
      .toBuffer();
  } catch (cause) {
    throw decodeError(cause, path);
  }
}

/**
 * Without waiting for the disk: after a power cut a file may be cut off, which its end tells. A cache
 * that cannot be written is no reason to show nothing.
 */
async function keep(file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, bytes);
    await rename(temporary, file);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

function isWholeJpeg(bytes: Uint8Array): boolean {
  return bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9;
}
