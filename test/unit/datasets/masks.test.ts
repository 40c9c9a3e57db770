import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openClassMask } from '../../../src-main/datasets/class-mask.ts';
import type { ClassesFile } from '../../../src-main/datasets/data-folder.ts';
import {
  countClasses,
  declaredMapping,
  proposedMapping,
} from '../../../src-main/datasets/mask-mapping.ts';
import { openMask } from '../../../src-main/datasets/mask-pixels.ts';
import { scanMask, type MaskScan } from '../../../src-main/datasets/mask-scan.ts';
import { encodePng } from './png-writer.ts';
import { colorPng, greyPng, rectangle, TemporaryFolder } from './sample-files.ts';

let folder: TemporaryFolder;
beforeEach(() => (folder = new TemporaryFolder()));
afterEach(() => folder[Symbol.dispose]());

const widthPx = 24;
const heightPx = 20;

const declared: ClassesFile = {
  classes: [
    { index: 0, name: 'background', color: '#000000' },
    { index: 1, name: 'cell', color: '#ff8000' },
  ],
  ignoreIndex: null,
};

async function scanBytes(bytes: Uint8Array, name = 'mask.png'): Promise<MaskScan> {
  return scanMask(await openMask(folder.write(name, bytes)));
}

async function scanGrey(values: Uint8Array): Promise<MaskScan> {
  return scanBytes(await greyPng(values, widthPx, heightPx));
}

/** A mask of two colours, [height, width, 3]. */
function twoColors(inside: readonly number[], outside: readonly number[]): Uint8Array {
  const mask = rectangle(widthPx, heightPx, 1);
  return Uint8Array.from(
    { length: mask.length * 3 },
    (_, i) => (mask[Math.floor(i / 3)] === 1 ? inside : outside)[i % 3] ?? 0,
  );
}

const valuesOf = (scan: MaskScan) => scan.values.map(({ value }) => value);
const insidePx = (widthPx / 2 - 4) * (heightPx / 2 - 4);

describe('what a mask holds', () => {
  test('grey levels', async () => {
    const scan = await scanGrey(rectangle(widthPx, heightPx, 3));
    expect(scan).toMatchObject({ kind: 'index', widthPx, heightPx });
    expect(scan.values).toEqual([
      { value: 0, pixels: widthPx * heightPx - insidePx, solid: true, color: 0 },
      { value: 3, pixels: insidePx, solid: true, color: 0x030303 },
    ]);
  });

  test('palette indices, not the colours they show', async () => {
    const palette = [0x112233, 0xff0000, 0x00ff00, 0x0000ff];
    const rows = rectangle(widthPx, heightPx, 3, 1);
    const scan = await scanBytes(encodePng({ widthPx, heightPx, bits: 8, rows, palette }));
    expect(scan).toMatchObject({ kind: 'palette' });
    expect(scan.values.map(({ value, color }) => [value, color])).toEqual([
      [1, 0xff0000],
      [3, 0x0000ff],
    ]);
  });

  test('palette indices of 4 bits with transparency written by another program', async () => {
    const raw = { width: widthPx, height: heightPx, channels: 3 } as const;
    const picture = sharp(twoColors([255, 0, 0], [0, 0, 255]), { raw });
    const scan = await scanBytes(await picture.png({ palette: true, colours: 4 }).toBuffer());
    expect(scan.kind).toBe('palette');
    expect(new Set(scan.values.map(({ color }) => color))).toEqual(new Set([0xff0000, 0x0000ff]));
    expect(Math.max(...valuesOf(scan))).toBeLessThan(4);
  });

  test('the same file as colours when told so', async () => {
    const palette = [0x112233, 0xff0000];
    const rows = rectangle(widthPx, heightPx, 1);
    const path = folder.write('a.png', encodePng({ widthPx, heightPx, bits: 8, rows, palette }));
    expect(valuesOf(await scanMask(await openMask(path, true)))).toEqual([0x112233, 0xff0000]);
  });

  test.each([
    [1, 8, 0b10101010],
    [2, 4, 0b11011000],
    [4, 2, 0x5f],
  ] as const)(
    'grey PNG of %i bit counts from 0, not spread to 255',
    async (bits, perByte, byte) => {
      const rows = new Uint8Array((8 * 8) / perByte).fill(byte);
      const scan = await scanBytes(encodePng({ widthPx: 8, heightPx: 8, bits, rows }));
      const expected = { 1: [0, 1], 2: [0, 1, 2, 3], 4: [5, 15] }[bits];
      expect(valuesOf(scan)).toEqual(expected);
    },
  );

  test('16-bit grey levels', async () => {
    const raw = { width: widthPx, height: heightPx, channels: 1 } as const;
    const values = Uint16Array.from(rectangle(widthPx, heightPx, 1), (value) => value * 300);
    const png = await sharp(values, { raw }).toColourspace('grey16').png().toBuffer();
    expect(valuesOf(await scanBytes(png))).toEqual([0, 300]);
  });

  test.each([
    ['text', Buffer.from('no picture at all'), 'masks.not-an-image'],
    ['half', undefined, 'masks.damaged'],
  ])('%s is refused', async (_, bytes, code) => {
    const whole = await greyPng(rectangle(widthPx, heightPx, 1), widthPx, heightPx);
    const path = folder.write('a.png', bytes ?? whole.subarray(0, whole.length - 20));
    const scan = openMask(path).then(scanMask);
    await expect(scan).rejects.toMatchObject({ code });
  });
});

describe('what its values mean', () => {
  test('declared indices are counted, ignored pixels apart', async () => {
    const mask = rectangle(widthPx, heightPx, 1);
    mask.fill(255, 0, widthPx * 2);
    const mapping = declaredMapping({ ...declared, ignoreIndex: 255 }, [await scanGrey(mask)]);
    expect(countClasses('a', await scanGrey(mask), mapping)).toEqual({
      type: 'counted',
      classPixels: [widthPx * (heightPx - 2) - insidePx, insidePx],
      ignoredPixels: widthPx * 2,
    });
  });

  test('0 and 255 are the two classes of a black-and-white mask', async () => {
    const scan = await scanGrey(rectangle(widthPx, heightPx, 255));
    for (const mapping of [declaredMapping(declared, [scan]), proposedMapping([scan])]) {
      expect(countClasses('a', scan, mapping)).toMatchObject({
        classPixels: [480 - insidePx, insidePx],
      });
    }
  });

  test('without classes.json, indices stay and 255 beside them is ignored', async () => {
    const mask = rectangle(widthPx, heightPx, 2);
    mask.fill(255, 0, widthPx * 2);
    const mapping = proposedMapping([await scanGrey(mask)]);
    expect(mapping.tables.index).toEqual([
      [0, 0],
      [2, 2],
      [255, 255],
    ]);
    expect(mapping.classes.map(({ name }) => name)).toEqual(['class 0', 'class 1', 'class 2']);
  });

  test('grey levels far apart are numbered', async () => {
    const mask = rectangle(widthPx, heightPx, 170);
    mask.fill(85, 0, widthPx * 2);
    expect(proposedMapping([await scanGrey(mask)]).tables.index).toEqual([
      [0, 0],
      [85, 1],
      [170, 2],
    ]);
  });

  test('colours of classes.json are found', async () => {
    const scan = await scanBytes(await colorPng(twoColors([255, 128, 0], [0, 0, 0]), 24, 20));
    const counts = countClasses('a', scan, declaredMapping(declared, [scan]));
    expect(counts).toMatchObject({ classPixels: [480 - insidePx, insidePx] });
  });

  test('colours are proposed as classes, black first', async () => {
    const scan = await scanBytes(await colorPng(twoColors([0, 200, 10], [0, 0, 0]), 24, 20));
    expect(proposedMapping([scan]).classes).toEqual([
      { classIndex: 0, name: '#000000', color: '#000000' },
      { classIndex: 1, name: '#00c80a', color: '#00c80a' },
    ]);
  });

  test('grey masks saved as RGB are understood as indices', async () => {
    const scan = await scanBytes(await colorPng(twoColors([1, 1, 1], [0, 0, 0]), 24, 20));
    for (const mapping of [declaredMapping(declared, [scan]), proposedMapping([scan])]) {
      expect(countClasses('a', scan, mapping)).toMatchObject({
        classPixels: [480 - insidePx, insidePx],
      });
    }
  });

  test('unknown values are named with the file', async () => {
    const scan = await scanGrey(rectangle(widthPx, heightPx, 7));
    const counts = countClasses('m.png', scan, declaredMapping(declared, [scan]));
    expect(counts).toMatchObject({
      type: 'refused',
      code: 'masks.unknown-values',
      message: `m.png holds values that are no class: 7 (${insidePx} px). Give them a class under Images > Labels from files, add them to classes.json, or correct the mask.`,
    });
  });

  test('soft edges are told from unknown values, and never become classes', async () => {
    const raw = { width: widthPx, height: heightPx, channels: 1 } as const;
    const blurred = await sharp(rectangle(widthPx, heightPx, 255), { raw })
      .blur(0.6)
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const [soft, hard] = [
      await scanBytes(blurred),
      await scanGrey(rectangle(widthPx, heightPx, 255)),
    ];
    const mapping = proposedMapping([soft, hard]);
    expect(mapping.classes).toHaveLength(2);
    expect(countClasses('soft.png', soft, mapping)).toMatchObject({
      type: 'refused',
      code: 'masks.soft-edges',
    });
  });

  test('masks of different kinds without classes.json are refused', async () => {
    const grey = await scanGrey(rectangle(widthPx, heightPx, 1));
    const color = await scanBytes(await colorPng(twoColors([9, 0, 0], [0, 0, 0]), 24, 20));
    expect(() => proposedMapping([grey, color])).toThrow(
      /different kinds \(grey levels, colours\)/,
    );
  });
});

test('a stored mask reads as class indices', async () => {
  const mask = rectangle(widthPx, heightPx, 255);
  const path = folder.write('a.png', await greyPng(mask, widthPx, heightPx));
  const mapping = proposedMapping([await scanMask(await openMask(path))]);
  const reader = await openClassMask({ path, format: 'index' }, mapping);
  expect(await reader.readRows(0, heightPx)).toEqual(mask.map((value) => (value === 255 ? 1 : 0)));
  folder.write('a.png', await greyPng(rectangle(widthPx, heightPx, 9), widthPx, heightPx));
  const changed = await openClassMask({ path, format: 'index' }, mapping);
  await expect(changed.readRows(0, heightPx)).rejects.toMatchObject({ code: 'masks.changed' });
});
