import type { Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { readMetadata } from '../../../src-main/datasets/pixels.ts';
import { plainHeader } from '../../../src-main/datasets/plain-header.ts';
import { sample } from './sample-files.ts';

const grey = (): Sharp => sample(33, 20, 2).greyscale().toColourspace('b-w');
const clear = (): Sharp => sample(33, 20, 3).ensureAlpha(0.5);

const plain: Readonly<Record<string, () => Sharp>> = {
  'PNG, RGB': () => sample(70, 41, 1).png(),
  'PNG, grey': () => grey().png(),
  'PNG, opacity': () => clear().png(),
  'PNG, resolution': () => sample(70, 41, 1).withMetadata({ density: 300 }).png(),
  'JPEG, RGB': () => sample(70, 41, 1).jpeg(),
  'JPEG, grey': () => grey().jpeg(),
  'JPEG, all colour kept': () => sample(70, 41, 1).jpeg({ chromaSubsampling: '4:4:4' }),
};

const others: Readonly<Record<string, () => Sharp>> = {
  'PNG, interlaced': () => sample(70, 41, 1).png({ progressive: true }),
  'PNG, palette': () => sample(70, 41, 1).png({ palette: true }),
  'PNG, 16 bits': () => sample(70, 41, 1).toColourspace('rgb16').png(),
  'PNG, turned': () => sample(70, 41, 1).withMetadata({ orientation: 6 }).png(),
  'JPEG, progressive': () => sample(70, 41, 1).jpeg({ progressive: true }),
  'JPEG, turned': () => sample(70, 41, 1).withMetadata({ orientation: 6 }).jpeg(),
  'JPEG, profile': () => sample(70, 41, 1).withIccProfile('p3').jpeg(),
  'JPEG, CMYK': () => sample(70, 41, 1).toColourspace('cmyk').jpeg(),
  WebP: () => sample(70, 41, 1).webp(),
  TIFF: () => sample(70, 41, 1).tiff(),
  GIF: () => sample(70, 41, 1).gif(),
};

describe('headers of plain files', () => {
  it.each(Object.keys(plain))('%s: as the decoder says', async (name) => {
    const bytes = await plain[name]?.().toBuffer();
    const found = plainHeader(bytes ?? new Uint8Array());
    if (found === undefined) return; // e.g. with EXIF for the resolution
    const { width, height, space, channels, depth, hasAlpha, isProgressive, ...rest } =
      await readMetadata(bytes ?? new Uint8Array());
    expect(found).toEqual({ width, height, space, channels, depth, hasAlpha, isProgressive });
    expect(rest.orientation ?? 1).toBe(1);
    expect(rest.pages ?? 1).toBe(1);
  });

  it.each(['PNG, RGB', 'PNG, grey', 'PNG, opacity', 'JPEG, RGB', 'JPEG, grey'])(
    '%s is known without the decoder',
    async (name) => {
      expect(plainHeader((await plain[name]?.().toBuffer()) ?? new Uint8Array())).toBeDefined();
    },
  );

  it.each(Object.keys(others))('%s is left to the decoder', async (name) => {
    expect(plainHeader((await others[name]?.().toBuffer()) ?? new Uint8Array())).toBeUndefined();
  });

  it('leaves what is cut off or no picture to the decoder', async () => {
    const png = await sample(70, 41, 1).png().toBuffer();
    const jpeg = await sample(70, 41, 1).jpeg().toBuffer();
    for (const length of [0, 1, 3, 20, 60]) {
      expect(plainHeader(png.subarray(0, length))).toBeUndefined();
      expect(plainHeader(jpeg.subarray(0, length))).toBeUndefined();
    }
    expect(plainHeader(Buffer.from('a text of some length that is no picture'))).toBeUndefined();
  });
});
