import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { encodePicture } from '../../../src-main/datasets/encode.ts';
import { importImages } from '../../../src-main/datasets/import.ts';
import { momentsOf, SlotRecorder } from '../../../src-main/inference/slot-recorder.ts';
import { readRunSlots } from '../../../src-main/inference/slot-record.ts';
import { runPretraining } from '../../../src-main/pretrain/trainer.ts';
import { control, cpu, tinyProject } from '../pretrain/tiny-run.ts';

type Tiny = ReturnType<typeof tinyProject>;
const made: Tiny[] = [];
afterEach(() => made.splice(0).forEach((project) => project.dispose()));

/** A project with four small pictures. */
async function withPictures(): Promise<Tiny> {
  const tiny = tinyProject({ steps: 4, decoder: 'fcn' });
  made.push(tiny);
  const folder = tiny.project.path('pictures');
  mkdirSync(folder);
  for (let i = 0; i < 4; i++) {
    const data = Uint8Array.from(
      { length: 64 * 64 * 3 },
      (_, at) => (at * (i + 3)) % (100 + 40 * i),
    );
    const bytes = await encodePicture({ data, widthPx: 64, heightPx: 64 }, 'png');
    writeFileSync(join(folder, `${i}.png`), bytes);
  }
  await importImages(tiny.project, {
    imagesPath: folder,
    splitShares: { train: 1, val: 0, test: 0 },
  });
  return tiny;
}

async function train({ project, runId }: Tiny, hasPictures: boolean): Promise<string | undefined> {
  await runPretraining(project, runId, cpu, control(), (config) =>
    hasPictures
      ? new SlotRecorder(project, { runId, config })
      : { isDue: () => false, look: () => Promise.resolve(), dispose: () => Promise.resolve() },
  );
  return project.checkpoints.get(runId, 'final')?.sha256;
}

test('pictures are drawn at the start and the end and change nothing about the weights', async () => {
  const drawn = await withPictures();
  const plain = await withPictures();
  const losses = ({ project, runId }: Tiny) =>
    project.runMetrics.list(runId).map(({ values }) => values['loss.total']);
  const weights = await train(drawn, true);
  expect(weights).toBeDefined();
  expect(await train(plain, false)).toBe(weights); // a hash: bit by bit
  expect(losses(drawn)).toEqual(losses(plain));
  expect(losses(drawn)).toHaveLength(4);
  const moments = readRunSlots(drawn.project, drawn.runId);
  expect(moments.at(0)?.step).toBe(0);
  expect(moments.at(-1)?.step).toBe(4);
  expect(moments[0]?.images).toHaveLength(4);
  expect(moments[0]?.images[0]?.levels.map(({ name }) => name)).toEqual(['encoder', 'decoder']);
});

test('as many pictures as can be afforded, late ones first', () => {
  expect(momentsOf(1000, -1)).toEqual([]);
  expect(momentsOf(1000, 2.5)).toEqual([500, 250]);
  expect(momentsOf(10, 99)).toEqual([5, 3, 1]);
});
