import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { AppError } from '../lib/errors.ts';
import { decodeError, fileError, shown } from './file-errors.ts';
import { headBytes, kindOfContent, type FileKind, type ImageFormat } from './file-kind.ts';
import {
  maxWholeBytes,
  scalesAsWhole,
  understand,
  uprightSize,
  type HeaderFacts,
  type ImageFacts,
} from './image-facts.ts';
import { measurePixels } from './measure.ts';
import { readMetadata, readRgbRows, type PixelInput, type RowWindow } from './pixels.ts';
import { plainHeader } from './plain-header.ts';

/** A whole picture in memory. */
export interface DecodedImage {
  /** [height, width, 3], RGB 0..255. */
  readonly data: Uint8Array;
  readonly widthPx: number;
  readonly heightPx: number;
  readonly facts: ImageFacts;
}

/** A picture that is decoded part by part. */
export interface ImageReader {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly facts: ImageFacts;
  /** Rows `topPx` to `topPx + rows` at native resolution, [rows, width, 3], RGB 0..255. */
  readRows(topPx: number, rows: number): Promise<Uint8Array>;
  /** The same of the picture scaled to another size. */
  readScaledRows(window: RowWindow): Promise<Uint8Array>;
}

/** A file as it is read once for hashing and decoding. */
export interface LoadedFile {
  readonly path: string;
  readonly input: PixelInput;
  readonly bytes: number;
}

/** Larger files are read from the disk as they are decoded. */
export const maxLoadedBytes = 64e6;
const maxDecodedBytes = 1e9;

/**
 * Decodes a picture as a whole: upright, RGB, 8 bits (see `intensity.ts` for deeper ones).
 * @throws AppError `images.*` with a sentence about the file
 */
export async function decodeImage(path: string): Promise<DecodedImage> {
  const reader = await openImage(path);
  const { widthPx, heightPx, facts } = reader;
  if (widthPx * heightPx * 3 > maxDecodedBytes) {
    throw new AppError(
      'images.too-large',
      `${shown(path)} is ${widthPx} x ${heightPx} px, too large to be opened as a whole.`,
    );
  }
  return { data: await reader.readRows(0, heightPx), widthPx, heightPx, facts };
}

/**
 * Opens a picture of any size for reading by rows. `facts` known from the import save looking
 * through deep pictures for their range again.
 * @throws AppError `images.*`
 */
export async function openImage(path: string, known?: ImageFacts): Promise<ImageReader> {
  const file = await loadFile(path);
  const facts = known ?? (await inspectImage(file));
  const size = uprightSize(facts);
  const readScaledRows = (window: RowWindow) => {
    if (window.widthPx !== size.widthPx || window.heightPx !== size.heightPx) {
      requireScalable(path, facts);
    }
    return decoding(path, () => readRgbRows(file.input, facts, window));
  };
  return {
    ...size,
    facts,
    readScaledRows,
    readRows: (topPx, rows) => readScaledRows({ ...size, topPx, rows }),
  };
}

function requireScalable(path: string, facts: ImageFacts): void {
  const bytes = facts.storedWidthPx * facts.storedHeightPx * (facts.channels * 2 + 3);
  if (!scalesAsWhole(facts) || bytes <= maxWholeBytes) return;
  throw new AppError(
    'images.too-large',
    `${shown(path)} has ${facts.channels} deep channels and is too large to be made smaller. ` +
      'Use it at its native resolution, or save it with 8 bits.',
  );
}

/** Reads a file into memory unless it is large. */
export async function loadFile(path: string): Promise<LoadedFile> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size > maxLoadedBytes) return { path, input: path, bytes: size };
    const input = await readWhole(file, size);
    return { path, input, bytes: input.length };
  } catch (cause) {
    throw fileError(cause, path);
  }
}

/** All bytes of a file of known size; `FileHandle.readFile` would ask for the size once more. */
async function readWhole(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size;) {
    const { bytesRead } = await file.read(bytes, done, size - done, done);
    if (bytesRead === 0) return bytes.subarray(0, done); // it became shorter meanwhile
    done += bytesRead;
  }
  return bytes;
}

/** SHA-256 of the file's bytes, in hexadecimal. */
export async function hashFile(file: LoadedFile): Promise<string> {
  const hash = createHash('sha256');
  if (typeof file.input !== 'string') return hash.update(file.input).digest('hex');
  try {
    for await (const chunk of createReadStream(file.path, { highWaterMark: 1 << 20 })) {
      if (chunk instanceof Uint8Array) hash.update(chunk);
    }
  } catch (cause) {
    throw fileError(cause, file.path);
  }
  return hash.digest('hex');
}

/** Understands a file and reads all of it once, so that damage anywhere is found. */
export async function inspectImage(file: LoadedFile): Promise<ImageFacts> {
  return inspectPixels(file, await inspectHeader(file));
}

/** What the header says, cheap; throws for what cannot be used. */
export async function inspectHeader(file: LoadedFile): Promise<HeaderFacts> {
  const format = await formatOf(file);
  const plain = typeof file.input === 'string' ? undefined : plainHeader(file.input);
  const metadata = plain ?? (await decoding(file.path, () => readMetadata(file.input)));
  return understand(file.path, format, metadata);
}

/** The rest of the facts, from all pixels; takes about `decodingBytes(header)` of memory. */
export async function inspectPixels(file: LoadedFile, header: HeaderFacts): Promise<ImageFacts> {
  return decoding(file.path, async () => ({
    ...header,
    ...(await measurePixels(file.input, header)),
  }));
}

/**
 * The format by content.
 * @throws AppError `images.empty`, `images.foreign`, `images.not-an-image`
 */
async function formatOf(file: LoadedFile): Promise<ImageFormat> {
  const name = shown(file.path);
  if (file.bytes === 0) {
    throw new AppError(
      'images.empty',
      `${name} is empty (0 bytes). Copy it again from its source.`,
    );
  }
  const kind = kindOfContent(await readHead(file));
  switch (kind.type) {
    case 'image':
      return kind.format;
    case 'foreign':
      throw foreignError(file.path, kind.name);
    case 'unknown':
      throw new AppError(
        'images.not-an-image',
        `${name} does not hold a picture that can be read (JPEG, PNG, TIFF, WebP or GIF).`,
      );
  }
}

/** A picture of a kind that cannot be read. */
export function foreignError(path: string, name: string): AppError {
  return new AppError(
    'images.foreign',
    `${shown(path)} is a ${name} file, which cannot be read. Save it as PNG, TIFF or JPEG.`,
  );
}

/** What a file is, from its first bytes alone. */
export async function sniffFile(path: string): Promise<FileKind> {
  try {
    return kindOfContent(await readHead({ path, input: path, bytes: headBytes }));
  } catch (cause) {
    throw fileError(cause, path);
  }
}

async function readHead(file: LoadedFile): Promise<Uint8Array> {
  if (typeof file.input !== 'string') return file.input.subarray(0, headBytes);
  await using handle = await open(file.input, 'r');
  const head = new Uint8Array(headBytes);
  const { bytesRead } = await handle.read(head, 0, headBytes, 0);
  return head.subarray(0, bytesRead);
}

async function decoding<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cause instanceof AppError ? cause : decodeError(cause, path);
  }
}
