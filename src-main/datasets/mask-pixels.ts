import { readFile } from 'node:fs/promises';
import { AppError } from '../lib/errors.ts';
import { decodeError, fileError, shown } from './file-errors.ts';
import { kindOfContent } from './file-kind.ts';
import { readPalette, withIndexPalette } from './palette-png.ts';
import { openPixels, type PixelInput } from './pixels.ts';

/** What a pixel of a mask file is: a grey level, an index into a palette, or a 24-bit colour. */
export type MaskKind = 'index' | 'palette' | 'rgb';

/** A mask file that can be read by rows. */
export interface MaskReader {
  readonly kind: MaskKind;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Colours of the palette, for palette masks. */
  readonly palette: readonly number[] | undefined;
  /** [rows, width] grey levels, palette indices or 0xrrggbb colours, exactly as stored. */
  readRows(topPx: number, rows: number): Promise<MaskValues>;
}

export type MaskValues = Uint8Array | Uint16Array | Uint32Array;

/**
 * Opens a mask. `asColors` reads palette files as the colours they show.
 * @throws AppError `masks.*`
 */
export async function openMask(path: string, asColors = false): Promise<MaskReader> {
  try {
    return await open(path, asColors);
  } catch (cause) {
    throw toMaskError(cause, path);
  }
}

async function open(path: string, asColors: boolean): Promise<MaskReader> {
  const file = await readFile(path);
  if (kindOfContent(file).type !== 'image') {
    throw new AppError(
      'masks.not-an-image',
      `${shown(path)} does not hold a picture that can be read as a mask. PNG is the safest format.`,
    );
  }
  const metadata = await openPixels(file).metadata();
  const palette = asColors ? undefined : readPalette(file);
  const input = palette === undefined ? file : withIndexPalette(file, path);
  const kind = palette !== undefined ? 'palette' : isGrey(metadata.space) ? 'index' : 'rgb';
  if (metadata.depth !== 'uchar' && !(kind === 'index' && metadata.depth === 'ushort')) {
    throw new AppError(
      'masks.unsupported',
      `${shown(path)} has ${metadata.depth} samples; a mask needs 8 or 16 bits without sign.`,
    );
  }
  // Grey PNG of fewer than 8 bits is spread to 0..255 by the decoder: 1 bit becomes 0 and 255.
  const bits = kind === 'index' && metadata.format === 'png' ? (metadata.bitsPerSample ?? 8) : 8;
  const step = bits < 8 ? 255 / (2 ** bits - 1) : 1;
  const { width, height } = metadata.autoOrient;
  return {
    kind,
    widthPx: width,
    heightPx: height,
    palette,
    readRows: async (topPx, rows) => {
      try {
        const window = { left: 0, top: topPx, width, height: rows };
        return await readValues(
          input,
          kind,
          metadata.depth,
          rows === height ? undefined : window,
          step,
        );
      } catch (cause) {
        throw toMaskError(cause, path);
      }
    },
  };
}

async function readValues(
  input: PixelInput,
  kind: MaskKind,
  depth: string,
  window: { left: number; top: number; width: number; height: number } | undefined,
  step: number,
): Promise<MaskValues> {
  const upright = openPixels(input, { ignoreIcc: true }).autoOrient();
  const pixels = window === undefined ? upright : upright.extract(window);
  if (kind === 'rgb') return packColors(await pixels.removeAlpha().raw().toBuffer());
  if (depth === 'ushort') {
    const bytes = await pixels
      .toColourspace('grey16')
      .extractChannel(0)
      .raw({ depth: 'ushort' })
      .toBuffer();
    return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  }
  const bytes = await pixels.toColourspace('b-w').raw().toBuffer();
  return step === 1 ? bytes : bytes.map((value) => Math.round(value / step));
}

function packColors(rgb: Uint8Array): Uint32Array {
  const colors = new Uint32Array(rgb.length / 3);
  for (let pixel = 0, i = 0; pixel < colors.length; pixel++, i += 3) {
    colors[pixel] = ((rgb[i] ?? 0) << 16) | ((rgb[i + 1] ?? 0) << 8) | (rgb[i + 2] ?? 0);
  }
  return colors;
}

function isGrey(space: string): boolean {
  return space === 'b-w' || space === 'grey16';
}

/** Faults of a mask carry `masks.` codes, so that they are told apart from those of its image. */
function toMaskError(cause: unknown, path: string): AppError {
  if (cause instanceof AppError && cause.code.startsWith('masks.')) return cause;
  const isSystem = cause instanceof Error && 'syscall' in cause;
  const error =
    cause instanceof AppError
      ? cause
      : isSystem
        ? fileError(cause, path)
        : decodeError(cause, path);
  return new AppError(error.code.replace(/^images\./, 'masks.'), error.message, { cause });
}
