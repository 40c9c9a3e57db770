import * as v from 'valibot';
import { AppError } from '../lib/errors.ts';
import { formatName, type ImageFormat } from './file-kind.ts';
import { shown } from './file-errors.ts';

const readings = ['color8', 'channels8', 'grey16', 'rgb16', 'float'] as const;

/** What was understood of an image file; stored with the image, and enough to decode it again. */
export const imageFactsSchema = v.object({
  format: v.picklist(['jpeg', 'png', 'tiff', 'webp', 'gif']),
  /** As stored in the file, before the orientation is applied. */
  storedWidthPx: v.number(),
  storedHeightPx: v.number(),
  /** EXIF orientation, 1 (upright) to 8; it is applied when decoding. */
  orientation: v.number(),
  /** Colour space as the decoder names it, e.g. `srgb`, `cmyk`, `b-w`. */
  space: v.string(),
  channels: v.number(),
  bitDepth: v.number(),
  /** The last channel is an opacity; `isTransparent` when it is below 100 % somewhere. */
  hasAlpha: v.boolean(),
  isTransparent: v.boolean(),
  /** Pages, frames or slices in the file; the first is used. */
  pages: v.number(),
  /** Interlaced or progressive: decoding needs the whole picture in memory. */
  isProgressive: v.boolean(),
  /** How the samples are read. `channels8`: separate recordings, not a colour picture. */
  reading: v.picklist(readings),
  /** Source values that become 0 and 255, one per channel used; none for 8-bit pictures. */
  ranges: v.array(v.object({ low: v.number(), high: v.number() })),
  /** 8-bit levels of the decoded picture: lowest, mean, highest. */
  intensity: v.object({ low: v.number(), mean: v.number(), high: v.number() }),
});

export type ImageFacts = Readonly<v.InferOutput<typeof imageFactsSchema>>;

/** Facts from the header of a file; what only the pixels tell is still missing. */
export type HeaderFacts = Omit<ImageFacts, 'ranges' | 'intensity' | 'isTransparent'>;

/** What a decoder reports about a file. */
export interface DecoderMetadata {
  readonly width: number;
  readonly height: number;
  readonly space: string;
  readonly channels: number;
  readonly depth: string;
  readonly hasAlpha: boolean;
  readonly orientation?: number | undefined;
  readonly pages?: number | undefined;
  readonly isProgressive: boolean;
}

/** Smaller pictures hold nothing to learn from. */
export const minSidePx = 8;
const maxPixels = 2e9;
/** Decoded size up to which a picture may be held in memory as a whole. */
export const maxWholeBytes = 320e6;

/**
 * Decides how a file is read.
 * @throws AppError `images.too-small`, `images.too-large`, `images.unsupported`
 */
export function understand(
  path: string,
  format: ImageFormat,
  metadata: DecoderMetadata,
): HeaderFacts {
  const { width, height, channels } = metadata;
  const size = `${width} x ${height} px`;
  if (Math.min(width, height) < minSidePx) {
    throw new AppError(
      'images.too-small',
      `${shown(path)} is only ${size}. Pictures need at least ${minSidePx} px on each side.`,
    );
  }
  if (width * height > maxPixels) {
    throw new AppError(
      'images.too-large',
      `${shown(path)} is ${size}, more than can be read (2 gigapixels). Cut it into parts.`,
    );
  }
  const facts = {
    format,
    storedWidthPx: width,
    storedHeightPx: height,
    orientation: metadata.orientation ?? 1,
    space: metadata.space,
    channels,
    bitDepth: bitDepths.get(metadata.depth) ?? 0,
    hasAlpha: false,
    pages: metadata.pages ?? 1,
    isProgressive: metadata.isProgressive,
    reading: readingOf(path, format, metadata),
  };
  const isColor = facts.reading === 'color8' || facts.reading === 'rgb16' || format === 'png';
  const result = { ...facts, hasAlpha: metadata.hasAlpha && isColor && channels <= 4 };
  if (needsWholePicture(result) && width * height * 4 > maxWholeBytes) {
    throw new AppError(
      'images.too-large',
      `${shown(path)} is ${size} and stored in a way that must be unpacked as a whole ` +
        '(interlaced, progressive, turned by EXIF, WebP or GIF). Save it upright as plain JPEG, PNG or TIFF.',
    );
  }
  return result;
}

/** Size as seen, after the orientation is applied. */
export function uprightSize(
  facts: Pick<ImageFacts, 'storedWidthPx' | 'storedHeightPx' | 'orientation'>,
): { readonly widthPx: number; readonly heightPx: number } {
  return facts.orientation >= 5
    ? { widthPx: facts.storedHeightPx, heightPx: facts.storedWidthPx }
    : { widthPx: facts.storedWidthPx, heightPx: facts.storedHeightPx };
}

/** Peak bytes of decoding, for scheduling. */
export function decodingBytes(facts: HeaderFacts): number {
  const rows = needsWholePicture(facts) ? facts.storedHeightPx : 512;
  return facts.storedWidthPx * rows * 4;
}

/** True when a smaller version can only be made from the whole picture in memory. */
export function scalesAsWhole(facts: HeaderFacts): boolean {
  const isPlain = facts.channels <= 3 && !isSeparateChannels(facts);
  return facts.reading !== 'color8' && !isPlain;
}

/** Sentences, by code, about everything that was not taken as it is. */
export function noticesOf(path: string, facts: ImageFacts): readonly Notice[] {
  const name = shown(path);
  const { pages, channels, bitDepth, format } = facts;
  const notices: Notice[] = [];
  const add = (code: string, message: string) => notices.push({ code, message });
  if (pages > 1) {
    const parts = format === 'tiff' ? 'pages' : 'frames';
    add('images.pages', `${name} has ${pages} ${parts}; the first is used.`);
  }
  if (facts.orientation !== 1) {
    add('images.rotated', `${name} was turned upright as its EXIF orientation says.`);
  }
  if (facts.space === 'cmyk') {
    add('images.cmyk', `${name} is CMYK (print colours); it was converted to RGB.`);
  }
  if (facts.isTransparent) {
    add('images.alpha', `${name} has transparency; it was put on white.`);
  }
  if (facts.ranges.length > 0) {
    const range = facts.ranges.map(({ low, high }) => `${show(low)} to ${show(high)}`).join(', ');
    add('images.deep', `${name} has ${bitDepth} bits; ${range} was stretched to 0 to 255.`);
  }
  if (isSeparateChannels(facts) || (colorsIn(facts) > 3 && facts.space !== 'cmyk')) {
    add(
      'images.channels',
      channels === 2
        ? `${name} has 2 channels; they are used as red and green.`
        : `${name} has ${channels} channels; the first 3 are used as red, green and blue.`,
    );
  }
  if (facts.storedWidthPx * facts.storedHeightPx >= largePixels) {
    add(
      'images.large',
      `${name} is ${facts.storedWidthPx} x ${facts.storedHeightPx} px; it is read part by part and cut into tiles.`,
    );
  }
  return notices;
}

export interface Notice {
  readonly code: string;
  readonly message: string;
}

/** True when the channels are separate recordings instead of a colour. */
export function isSeparateChannels(facts: HeaderFacts): boolean {
  return facts.reading !== 'color8' && isGrey(facts.space) && colorsIn(facts) > 1;
}

/** Channels without alpha. */
export function colorsIn(facts: HeaderFacts): number {
  return facts.channels - (facts.hasAlpha ? 1 : 0);
}

function needsWholePicture(facts: HeaderFacts): boolean {
  const { format, isProgressive, orientation } = facts;
  return format === 'webp' || format === 'gif' || isProgressive || orientation > 2;
}

function readingOf(
  path: string,
  format: ImageFormat,
  { depth, space, channels }: DecoderMetadata,
): ImageFacts['reading'] {
  if (depth === 'uchar') {
    const isManyChannel = format === 'tiff' && channels > (isGrey(space) ? 1 : 4);
    return isManyChannel ? 'channels8' : 'color8';
  }
  if (depth === 'ushort' && space === 'grey16') return 'grey16';
  if (depth === 'ushort' && space === 'rgb16') return 'rgb16';
  if (floatDepths.has(depth) && space === 'b-w' && channels === 1) return 'float';
  throw new AppError(
    'images.unsupported',
    `${shown(path)} is a ${formatName(format)} with ${channels} channels of type ` +
      `"${depthNames.get(depth) ?? depth}" (${space}), which cannot be read. ` +
      'Save it with 8 or 16 bits without sign.',
  );
}

function isGrey(space: string): boolean {
  return space === 'b-w' || space === 'grey16';
}

function show(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(4);
}

const largePixels = 100e6;

const bitDepths: ReadonlyMap<string, number> = new Map([
  ['uchar', 8],
  ['ushort', 16],
  ['uint', 32],
  ['int', 32],
  ['float', 32],
  ['double', 64],
]);

const floatDepths: ReadonlySet<string> = new Set(['uint', 'int', 'float', 'double']);

const depthNames: ReadonlyMap<string, string> = new Map([
  ['char', '8 bits with sign'],
  ['short', '16 bits with sign'],
  ['int', '32 bits with sign'],
  ['uint', '32 bits'],
  ['ushort', '16 bits'],
  ['float', '32-bit decimals'],
  ['double', '64-bit decimals'],
]);
