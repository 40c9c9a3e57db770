import sharp, { type Sharp } from 'sharp';
import {
  colorsIn,
  isSeparateChannels,
  scalesAsWhole,
  uprightSize,
  type DecoderMetadata,
  type HeaderFacts,
  type ImageFacts,
} from './image-facts.ts';
import { byteTable, toByte } from './intensity.ts';

// One thread per picture and no cache: we decode many pictures side by side, each once.
sharp.cache(false);
sharp.concurrency(1);

/** The bytes of a file, or its path when it is too large to be held. */
export type PixelInput = string | Uint8Array;

/** Some rows of a picture, all of its columns, perhaps of its scaled version. */
export interface RowWindow {
  /** Size of the whole picture that the rows are of. */
  readonly widthPx: number;
  readonly heightPx: number;
  readonly topPx: number;
  readonly rows: number;
}

export type Samples = Uint8Array | Uint16Array | Float32Array;

/** Opens a picture for decoding; pixels are counted and limited by `understand`, not here. */
export function openPixels(input: PixelInput, options: { ignoreIcc?: boolean } = {}): Sharp {
  return sharp(input, {
    failOn: 'error',
    limitInputPixels: false,
    limitInputChannels: 1024,
    sequentialRead: true,
    ...options,
  });
}

/** Pictures of one width, one below the other, as one picture of this size. */
export function openStack(
  files: readonly string[],
  size: { readonly widthPx: number; readonly heightPx: number },
): Sharp {
  const options = { limitInputPixels: false, sequentialRead: true } as const;
  const [only] = files;
  const stack =
    files.length === 1
      ? sharp(only, options)
      : sharp([...files], { ...options, join: { across: 1 } });
  return stack.extract({ left: 0, top: 0, width: size.widthPx, height: size.heightPx });
}

/** What the header says. Throws what the decoder throws. */
export async function readMetadata(input: PixelInput): Promise<DecoderMetadata> {
  return openPixels(input).metadata();
}

/** Rows as [rows, width, 3] RGB bytes: upright, 8 bits, transparency put on white. */
export async function readRgbRows(
  input: PixelInput,
  facts: ImageFacts,
  window: RowWindow,
): Promise<Uint8Array> {
  if (facts.reading === 'color8') {
    const rows = cut(openPixels(input).autoOrient(), facts, window);
    return rows.flatten({ background: 'white' }).toColourspace('srgb').raw().toBuffer();
  }
  const size = uprightSize(facts);
  const isScaled = size.widthPx !== window.widthPx || size.heightPx !== window.heightPx;
  if (!isScaled || !scalesAsWhole(facts)) {
    return toRgb(await readSampleRows(input, facts, window), facts);
  }
  // Resizing would treat an additional channel as transparency, so it comes last here.
  const whole = { ...size, topPx: 0, rows: size.heightPx };
  const rgb = toRgb(await readSampleRows(input, facts, whole), facts);
  const raw = { width: size.widthPx, height: size.heightPx, channels: 3 } as const;
  return cut(sharp(rgb, { raw, limitInputPixels: false }), facts, window)
    .raw()
    .toBuffer();
}

/** A picture shrunk to fit `sidePx`, RGB or RGBA bytes; reads the whole file, so damage shows. */
export async function readThumbnail(
  input: PixelInput,
  sidePx: number,
): Promise<{ readonly data: Uint8Array; readonly channels: number }> {
  const { data, info } = await openPixels(input)
    .resize({ width: sidePx, height: sidePx, fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, channels: info.channels };
}

/** Rows of the original samples of a picture that is not `color8`, [rows, width, sampleStride]. */
export async function readSampleRows(
  input: PixelInput,
  facts: HeaderFacts,
  window: RowWindow,
): Promise<Samples> {
  const rows = cut(openPixels(input, { ignoreIcc: true }).autoOrient(), facts, window);
  switch (facts.reading) {
    case 'color8':
    case 'channels8':
      return rows.raw().toBuffer();
    case 'grey16':
    case 'rgb16':
      return asUint16(await rows.toColourspace(facts.reading).raw({ depth: 'ushort' }).toBuffer());
    case 'float':
      return asFloat32(await rows.toColourspace('b-w').raw({ depth: 'float' }).toBuffer());
  }
}

/** Where the channels lie in what `readSampleRows` returns. */
export function sampleLayout(facts: HeaderFacts): {
  readonly stride: number;
  /** Offsets of the channels that become red, green and blue (one for grey, two for two). */
  readonly used: readonly number[];
} {
  // The decoder repeats the first channel of a grey picture three times before the others.
  if (facts.reading === 'channels8' && facts.space === 'b-w') {
    return { stride: facts.channels + 2, used: [0, 3, 4].slice(0, facts.channels) };
  }
  return { stride: facts.channels, used: [0, 1, 2].slice(0, colorsIn(facts)) };
}

/** Turns original samples into RGB bytes, using the stored ranges. */
export function toRgb(samples: Samples, facts: ImageFacts): Uint8Array {
  const { stride, used } = sampleLayout(facts);
  const pixels = samples.length / stride;
  const rgb = new Uint8Array(pixels * 3);
  const convert = facts.ranges.map((range) =>
    facts.reading === 'float' ? (value: number) => toByte(value, range) : lookUp(byteTable(range)),
  );
  for (let color = 0; color < 3; color++) {
    const source = used.length === 1 ? 0 : color;
    const offset = used[source];
    if (offset === undefined) continue; // two channels: blue stays black
    const toLevel = convert[isSeparateChannels(facts) ? source : 0];
    for (let from = offset, to = color; from < samples.length; from += stride, to += 3) {
      const value = samples[from] ?? 0;
      rgb[to] = toLevel === undefined ? value : toLevel(value);
    }
  }
  if (facts.hasAlpha) putOnWhite(rgb, samples, stride);
  return rgb;
}

function putOnWhite(rgb: Uint8Array, samples: Samples, stride: number): void {
  for (let pixel = 0; pixel * 3 < rgb.length; pixel++) {
    const opacity = (samples[pixel * stride + stride - 1] ?? 0) / 65535;
    for (let i = pixel * 3; i < pixel * 3 + 3; i++) {
      rgb[i] = Math.round((rgb[i] ?? 0) * opacity + 255 * (1 - opacity));
    }
  }
}

function lookUp(table: Uint8Array): (value: number) => number {
  return (value) => table[value] ?? 0;
}

function cut(image: Sharp, facts: HeaderFacts, window: RowWindow): Sharp {
  const size = uprightSize(facts);
  const { widthPx: width, heightPx: height } = window;
  const isScaled = width !== size.widthPx || height !== size.heightPx;
  const scaled = isScaled ? image.resize({ width, height, fit: 'fill' }) : image;
  return window.rows === height
    ? scaled
    : scaled.extract({ left: 0, top: window.topPx, width, height: window.rows });
}

function asUint16(bytes: Buffer): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
}

function asFloat32(bytes: Buffer): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}
