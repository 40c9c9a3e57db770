import { chmodSync } from 'node:fs';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeImage, openImage } from '../../../src-main/datasets/decode.ts';
import { noticesOf } from '../../../src-main/datasets/image-facts.ts';
import { encodePng } from './png-writer.ts';
import { sample, samplePixels, TemporaryFolder } from './sample-files.ts';
import { encodeTiff, type TiffPage } from './tiff-writer.ts';

let folder: TemporaryFolder;
beforeEach(() => (folder = new TemporaryFolder()));
afterEach(() => folder[Symbol.dispose]());

const widthPx = 24;
const heightPx = 16;
const pixels = samplePixels(widthPx, heightPx, 5);

function pixelAt(image: { data: Uint8Array; widthPx: number }, x: number, y: number): number[] {
  const at = (y * image.widthPx + x) * 3;
  return [...image.data.subarray(at, at + 3)];
}

function tiff(
  channels: number,
  photometric: TiffPage['photometric'],
  data: TiffPage['data'],
): string {
  return folder.write('a.tif', encodeTiff([{ widthPx, heightPx, channels, photometric, data }]));
}

async function noticesAbout(path: string): Promise<string[]> {
  const { facts } = await decodeImage(path);
  return noticesOf('a', facts).map(({ message }) => message);
}

describe('formats', () => {
  test.each(['png', 'tiff', 'webp', 'gif', 'jpeg'] as const)('%s', async (format) => {
    const encoded = sample(widthPx, heightPx, 5);
    const lossless = { png: {}, tiff: { compression: 'lzw' }, webp: { lossless: true } } as const;
    const options = { gif: {}, jpeg: {}, ...lossless }[format];
    const bytes = await encoded.toFormat(format, options).toBuffer();
    const image = await decodeImage(folder.write(`a.${format}`, bytes));
    expect(image).toMatchObject({ widthPx, heightPx, facts: { format, bitDepth: 8, pages: 1 } });
    expect(image.data).toHaveLength(widthPx * heightPx * 3);
    if (format !== 'gif' && format !== 'jpeg') expect(image.data).toEqual(Buffer.from(pixels));
  });

  test('grey becomes three equal channels', async () => {
    const rows = Uint8Array.from({ length: widthPx * heightPx }, (_, i) => i % 256);
    const image = await decodeImage(
      folder.write('a.png', encodePng({ widthPx, heightPx, bits: 8, rows })),
    );
    expect(pixelAt(image, 5, 2)).toEqual([53, 53, 53]);
  });

  test('the orientation is applied', async () => {
    const upright = await sample(widthPx, heightPx, 5).png().toBuffer();
    const turned = await sharp(upright).withMetadata({ orientation: 6 }).png().toBuffer();
    const image = await decodeImage(folder.write('a.png', turned));
    expect(image).toMatchObject({ widthPx: heightPx, heightPx: widthPx });
    expect(pixelAt(image, heightPx - 1, 0)).toEqual([...pixels.subarray(0, 3)]);
  });

  test('transparency is put on white', async () => {
    const raw = { width: 8, height: 8, channels: 4 } as const;
    const half = Uint8Array.from({ length: 8 * 8 * 4 }, (_, i) =>
      i % 4 < 3 ? 0 : i < 128 ? 255 : 0,
    );
    const path = folder.write('a.png', await sharp(half, { raw }).png().toBuffer());
    const image = await decodeImage(path);
    expect(pixelAt(image, 0, 0)).toEqual([0, 0, 0]);
    expect(pixelAt(image, 0, 7)).toEqual([255, 255, 255]);
    expect(await noticesAbout(path)).toEqual(['a has transparency; it was put on white.']);
  });

  test('an opaque alpha channel is not worth a word', async () => {
    const path = folder.write(
      'a.png',
      await sample(widthPx, heightPx, 5).ensureAlpha().png().toBuffer(),
    );
    expect(await noticesAbout(path)).toEqual([]);
  });

  test('CMYK becomes RGB', async () => {
    const cmyk = sample(widthPx, heightPx, 5).toColourspace('cmyk');
    const path = folder.write('a.jpg', await cmyk.jpeg({ quality: 100 }).toBuffer());
    expect((await decodeImage(path)).data).toHaveLength(widthPx * heightPx * 3);
    expect(await noticesAbout(path)).toEqual([
      'a is CMYK (print colours); it was converted to RGB.',
    ]);
  });

  test('only the first page is used', async () => {
    const page = (value: number): TiffPage => ({
      widthPx,
      heightPx,
      channels: 1,
      photometric: 1,
      data: new Uint8Array(widthPx * heightPx).fill(value),
    });
    const path = folder.write('a.tif', encodeTiff([page(10), page(20), page(30)]));
    expect(pixelAt(await decodeImage(path), 3, 3)).toEqual([10, 10, 10]);
    expect(await noticesAbout(path)).toEqual(['a has 3 pages; the first is used.']);
  });
});

describe('deep and many-channel pictures', () => {
  const count = widthPx * heightPx;
  const ramp = (channels: number) =>
    Uint16Array.from({ length: count * channels }, (_, i) => 1000 + Math.floor(i / channels) * 10);

  test('16 bits are stretched between stored percentiles', async () => {
    const image = await decodeImage(tiff(1, 1, ramp(1)));
    const [range] = image.facts.ranges;
    expect(range).toEqual({ low: 1000, high: 1000 + (count - 1) * 10 });
    expect(pixelAt(image, 0, 0)).toEqual([0, 0, 0]);
    expect(pixelAt(image, widthPx - 1, heightPx - 1)).toEqual([255, 255, 255]);
    const middle = pixelAt(image, 0, heightPx / 2);
    expect(middle).toEqual([128, 128, 128]);
  });

  test('a few hot pixels do not darken the rest', async () => {
    const data = new Uint16Array(64 * 64).map((_, i) => 1000 + (i % 100));
    data[77] = 65535;
    const path = folder.write(
      'hot.tif',
      encodeTiff([{ widthPx: 64, heightPx: 64, channels: 1, photometric: 1, data }]),
    );
    const { facts, data: bytes } = await decodeImage(path);
    expect(facts.ranges[0]?.high).toBeLessThan(1100);
    expect(bytes[77 * 3]).toBe(255);
  });

  test('16-bit RGB keeps its colours: one range for all channels', async () => {
    const data = Uint16Array.from({ length: count * 3 }, (_, i) => (i % 3 === 0 ? 60000 : i));
    const image = await decodeImage(tiff(3, 2, data));
    expect(image.facts.ranges).toHaveLength(1);
    const [red = 0, green = 0] = pixelAt(image, 10, 10);
    expect(red).toBeGreaterThan(200);
    expect(green).toBeLessThan(50);
  });

  test('five channels: the first three, each with its own range', async () => {
    const path = tiff(5, 1, ramp(5));
    expect((await decodeImage(path)).facts.ranges).toHaveLength(3);
    expect((await noticesAbout(path)).at(-1)).toBe(
      'a has 5 channels; the first 3 are used as red, green and blue.',
    );
  });

  test.each([
    [2, 1, [9, 10, 0]],
    [5, 1, [9, 10, 11]],
    [6, 2, [9, 10, 11]],
  ] as const)('%i channels of 8 bits (photometric %i)', async (channels, photometric, expected) => {
    const data = Uint8Array.from({ length: count * channels }, (_, i) => 9 + (i % channels));
    expect(pixelAt(await decodeImage(tiff(channels, photometric, data)), 3, 3)).toEqual(expected);
  });

  test('32-bit decimals are stretched, what is no number becomes black', async () => {
    const data = Float32Array.from({ length: count }, (_, i) => i / count - 0.5);
    data[5] = NaN;
    const image = await decodeImage(tiff(1, 1, data));
    expect(image.facts.intensity.high).toBe(255);
    expect(pixelAt(image, 5, 0)).toEqual([0, 0, 0]);
  });

  test('16 bits with sign are refused with advice', async () => {
    const path = tiff(1, 1, new Int16Array(count).fill(-5));
    await expect(decodeImage(path)).rejects.toThrow(/16 bits with sign.*Save it with 8 or 16/);
  });

  test('scaled reading gives the same for bands as for the whole', async () => {
    const reader = await openImage(tiff(3, 2, ramp(3)));
    const size = { widthPx: 12, heightPx: 8 };
    const whole = await reader.readScaledRows({ ...size, topPx: 0, rows: 8 });
    const band = await reader.readScaledRows({ ...size, topPx: 4, rows: 4 });
    expect(whole.subarray(4 * 12 * 3)).toEqual(band);
  });
});

test('rows of an 8-bit picture equal those of the whole', async () => {
  const path = folder.write('a.png', await sample(widthPx, heightPx, 5).png().toBuffer());
  const reader = await openImage(path);
  expect(await reader.readRows(5, 3)).toEqual(
    Buffer.from(pixels.subarray(5 * widthPx * 3, 8 * widthPx * 3)),
  );
});

describe('refusals', () => {
  test.each([
    ['a.bmp', Buffer.concat([Buffer.from('BM'), Buffer.alloc(100)]), /is a BMP file/],
    ['a.png', Buffer.from('hello, this is a text'), /does not hold a picture/],
    ['a.tif', Buffer.concat([Buffer.from('II*\0'), Buffer.alloc(4)]), /damaged or incomplete/],
  ])('%s', async (name, bytes, message) => {
    await expect(decodeImage(folder.write(name, bytes))).rejects.toThrow(message);
  });

  test.each(['jpeg', 'png', 'webp', 'tiff', 'gif'] as const)('a truncated %s', async (format) => {
    const whole = await sample(64, 64, 3)[format]().toBuffer();
    const path = folder.write('a', whole.subarray(0, whole.length * 0.7));
    await expect(decodeImage(path)).rejects.toThrow(/damaged or incomplete/);
  });

  test('a large interlaced picture', async () => {
    const png = encodePng({ widthPx: 10_000, heightPx: 10_000, bits: 1 });
    png[28] = 1; // interlace method in the header; the checksum behind it is made anew
    const { crc32 } = await import('node:zlib');
    new DataView(png.buffer, png.byteOffset).setUint32(29, crc32(png.subarray(12, 29)));
    await expect(decodeImage(folder.write('a.png', png))).rejects.toThrow(/unpacked as a whole/);
  });

  test.skipIf(process.getuid?.() === 0)('a file without permission (not as root)', async () => {
    const path = folder.write('a.png', await sample(9, 9, 1).png().toBuffer());
    chmodSync(path, 0);
    await expect(decodeImage(path)).rejects.toThrow(/permission is missing/);
  });
});
