import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  classMapLevels,
  notPredicted,
  readChangedAreas,
  readClassMap,
  readClassMapArea,
  readClassMapFacts,
} from '../../../src-main/inference/class-map.ts';
import { predictClassMap } from '../../../src-main/inference/preview.ts';
import { CancelledError } from '../../../src-main/lib/errors.ts';
import { rednessPredictor, tinyDescription } from './tiny.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-preview-'));
afterAll(() => rmSync(folder, { recursive: true }));

const model = {
  description: { ...tinyDescription, classes: tinyDescription.classes.slice(0, 2) },
  predictor: rednessPredictor(64),
};
const [widthPx, heightPx] = [700, 300];
const picture = join(folder, 'halves.png');
const truth = Uint8Array.from({ length: widthPx * heightPx }, (_, i) =>
  i % widthPx >= widthPx / 2 ? 1 : 0,
);

beforeAll(async () => {
  const data = Uint8Array.from({ length: widthPx * heightPx * 3 }, (_, i) =>
    i % 3 === 0 ? 255 * (truth[i / 3] ?? 0) : 0,
  );
  await sharp(data, { raw: { width: widthPx, height: heightPx, channels: 3 } }).toFile(picture);
});

test('a picture becomes a class map with all its levels and areas', async () => {
  const map = join(folder, 'whole');
  const facts = await predictClassMap(model, picture, map);
  const half = (widthPx * heightPx) / 2;
  expect(facts).toMatchObject({ state: 'complete', widthPx, heightPx, classPixels: [half, half] });
  expect(readClassMapFacts(map)).toEqual(facts);
  expect(Buffer.from((await readClassMap(map)).classMap).equals(truth)).toBe(true);

  expect(classMapLevels({ widthPx, heightPx })).toBe(3);
  const top = { leftPx: 0, topPx: 0, widthPx: 175, heightPx: 75 };
  const overview = await readClassMapArea(map, facts, { plane: 'classes', level: 2, area: top });
  expect([overview[87], overview[88], overview.length]).toEqual([0, 1, 175 * 75]);
  const beyond = { leftPx: 698, topPx: 0, widthPx: 4, heightPx: 1 };
  const edge = await readClassMapArea(map, facts, { plane: 'classes', level: 0, area: beyond });
  expect([...edge]).toEqual([1, 1, notPredicted, notPredicted]);
});

test('the parts that became ready cover the picture once, in the order they were made', async () => {
  const map = join(folder, 'parts');
  await predictClassMap(model, picture, map);
  const { areas, offset } = readChangedAreas(map, 0);
  const pixels = areas
    .filter((area) => area.widthPx < widthPx)
    .reduce((sum, area) => sum + area.widthPx * area.heightPx, 0);
  expect(pixels).toBe(widthPx * heightPx);
  expect(areas[0]).toMatchObject({ leftPx: 0, topPx: 0 });
  expect(readChangedAreas(map, offset).areas).toEqual([]);
});

test('a cancelled prediction leaves what is ready, marked as partial', async () => {
  const map = join(folder, 'cancelled');
  const abort = new AbortController();
  const onTiles = (done: number): void => {
    if (done > 20) abort.abort();
  };
  const cancelled = predictClassMap(model, picture, map, { signal: abort.signal, onTiles });
  await expect(cancelled).rejects.toThrow(CancelledError);
  expect(readClassMapFacts(map)).toMatchObject({ state: 'partial', classPixels: [] });
  await expect(readClassMap(map)).rejects.toThrow('no finished prediction');
  const area = { leftPx: 0, topPx: 0, widthPx, heightPx };
  const facts = { widthPx, heightPx };
  const ready = await readClassMapArea(map, facts, { plane: 'classes', level: 0, area });
  expect(ready[0]).toBe(0);
  expect(ready.at(-1)).toBe(notPredicted);
  const again = await predictClassMap(model, picture, map);
  expect(again.state).toBe('complete');
});

test('a model that works on smaller pictures fills the whole picture too', async () => {
  const map = join(folder, 'scaled');
  const scaled = { ...model, description: { ...model.description, scale: 0.5 } };
  const facts = await predictClassMap(scaled, picture, map);
  expect(facts.classPixels.reduce((sum, count) => sum + count, 0)).toBe(widthPx * heightPx);
  const { classMap } = await readClassMap(map);
  expect([classMap[0], classMap[widthPx - 1], classMap.includes(notPredicted)]).toEqual([
    0,
    1,
    false,
  ]);
});
