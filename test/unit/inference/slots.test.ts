import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import * as v from 'valibot';
import { afterAll, expect, test } from 'vitest';
import { drawSlots } from '../../../src-main/inference/slots.ts';
import { matchSlots, slotMaps, slotsByArea } from '../../../src-main/inference/slot-maps.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { PretrainOptionsSchema, resolvePretrainConfig } from '../../../src-main/pretrain/config.ts';
import { lossLevels } from '../../../src-main/pretrain/levels.ts';
import { initPretrainState } from '../../../src-main/pretrain/state.ts';
import { tinyConfig } from './tiny.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-slots-'));
afterAll(() => rmSync(folder, { recursive: true }));

const config = resolvePretrainConfig(
  v.parse(PretrainOptionsSchema, {
    encoder: tinyConfig.encoder,
    decoderChannels: 8,
    dim: 8,
    hidden: 8,
    prototypes: 6,
    steps: 1,
    cropPx: 64,
    tilePx: 64,
  }),
  16,
);
const device = { executor: 'onnxruntime', provider: 'cpu' } as const;

test('pictures of every level, matches and a sheet are written', async () => {
  const imagePath = join(folder, 'cells.png');
  const noise = { type: 'gaussian', mean: 120, sigma: 60 } as const;
  const create = { width: 150, height: 90, channels: 3, background: '#000', noise } as const;
  await sharp({ create }).toFile(imagePath);
  const state = initPretrainState(config, new Random(3));
  const outDir = join(folder, 'out');
  const pictures = await drawSlots({ config, state, scale: 1 }, { imagePath, outDir, device });
  const names = ['encoder', 'decoder p2', 'decoder p3', 'decoder p4', 'decoder p5'];
  expect(pictures.maps.map(({ name }) => name)).toEqual(names);
  const files = [...pictures.maps, ...pictures.matches].map(({ file }) => file);
  for (const file of [...files, pictures.sheet, 'image.png', 'slots.json']) {
    expect(existsSync(join(outDir, file))).toBe(true);
  }
  const grey = await sharp(imagePath).stats();
  const kept = await sharp(join(outDir, 'image.png')).stats();
  expect(kept.channels[0]?.mean).toBeCloseTo(grey.channels[0]?.mean ?? 0, -1);
  const { width, height } = await sharp(join(outDir, 'decoder-p2.png')).metadata();
  expect([width, height]).toEqual([480, 288]);
});

test('a run without the parts that form slots is refused in words', async () => {
  const imagePath = join(folder, 'plain.png');
  const create = { width: 64, height: 64, channels: 3, background: '#345' } as const;
  await sharp({ create }).toFile(imagePath);
  const options = { imagePath, outDir: folder, device };
  await expect(drawSlots({ config, state: {}, scale: 1 }, options)).rejects.toThrow(
    'without the parts that form slots',
  );
});

test('a map takes the best bilinear score, a match shares most pixels with the reference', async () => {
  const scores = Object.fromEntries(
    lossLevels(config).map(({ label }, level) => {
      const data = Float32Array.from({ length: 2 * 2 * 6 }, (_, i) => {
        const [pixel, slot] = [Math.floor(i / 6), i % 6];
        return slot === (pixel % 2 === 0 ? level : level + 1) ? 1 : 0;
      });
      return [label, { shape: [1, 2, 2, 6], dtype: 'float32', data } as const];
    }),
  );
  const maps = await slotMaps(config, scores, { widthPx: 9, heightPx: 4 });
  expect([...(maps[0]?.slots.subarray(0, 9) ?? [])]).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1]);
  expect(slotsByArea(maps[1]?.slots ?? new Uint16Array())).toEqual([
    [1, 20],
    [2, 16],
  ]);
  const matches = matchSlots(maps);
  expect(matches.map(({ slot, overlap }) => [slot, overlap])).toEqual([
    [0, 20],
    [1, 20],
    [2, 20],
    [3, 20],
    [4, 20],
  ]);
});
