/**
 * Measures what the label editor waits for, on an image of 10,000 x 10,000 px:
 * `node test/bench/label-store.ts [strokes]`.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { addClass } from '../../src-main/datasets/class-edit.ts';
import { openImageMask } from '../../src-main/datasets/class-mask.ts';
import { LabelStore } from '../../src-main/datasets/label-store.ts';
import { writeMaskMapping } from '../../src-main/datasets/stored-settings.ts';
import { defined } from '../../src-main/lib/errors.ts';
import { decodeRuns, encodeRuns, labelTilePx } from '../../src-main/lib/label-runs.ts';
import { Random } from '../../src-main/lib/random.ts';
import type { StoredTile } from '../../src-main/project/labels.ts';
import { createProject } from '../../src-main/project/project.ts';

const sidePx = 10_000;
const strokes = Number(process.argv[2] ?? 500);
const folder = mkdtempSync(join(tmpdir(), 'decon-label-bench-'));
const project = createProject(join(folder, 'Bench.decon'));
const random = new Random(1);

try {
  const { id: folderId } = project.images.addFolder(folder);
  const images = project.images.upsertMany(
    ['painted.png', 'imported.png'].map((relPath) => ({
      folderId,
      relPath,
      bytes: 1,
      modifiedMs: 1,
      sha256: relPath,
      format: 'png',
      widthPx: sidePx,
      heightPx: sidePx,
      channels: 3,
      bitDepth: 8,
      pages: 1,
      facts: {},
      groupKey: null,
      split: null,
      status: 'usable' as const,
      duplicateOf: null,
    })),
  );
  for (const name of ['ground', 'cell', 'wall']) addClass(project, { name });
  await measurePainting(defined(images[0], 'image').id);
  await measureImported(defined(images[1], 'image').id);
  const megabytes = (statSync(join(project.dir, 'project.sqlite')).size / 1e6).toFixed(1);
  console.log(`database after all: ${megabytes} MB`);
} finally {
  project.dispose();
  rmSync(folder, { recursive: true, force: true });
}

async function measurePainting(imageId: string): Promise<void> {
  const store = new LabelStore(project);
  const commits: number[] = [];
  for (let i = 0; i < strokes; i++) {
    const tiles = await brushed(store, imageId);
    const started = performance.now();
    await store.commit(imageId, { tool: 'brush', strokeId: `s${i}`, isFinal: true, tiles });
    commits.push(performance.now() - started);
  }
  report('stored stroke over 4 tiles', commits);
  const view = Array.from({ length: 40 }, (_, i) => ({ x: i % 8, y: Math.floor(i / 8) }));
  report('40 tiles of a view', await repeated(20, () => store.tiles(imageId, view)));
  report('fill the rest (1,600 tiles)', await repeated(1, () => store.fillRest(imageId, 0, 'f')));
  report('undo of the fill', await repeated(1, () => store.undo(imageId)));
  report('redo of the fill', await repeated(1, () => store.redo(imageId)));
  report('undo of a stroke', await undone(store, imageId));
  report('mark as done', await repeated(1, () => store.setState(imageId, 'done')));
  const mask = defined(await openImageMask(project, imageId), 'mask');
  report('training reads 256 rows', await repeated(20, () => mask.readRows(4000, 256)));
}

async function undone(store: LabelStore, imageId: string): Promise<number[]> {
  store.undo(imageId); // the fill
  const times = await repeated(50, () => store.undo(imageId));
  for (let i = 0; i < 51; i++) store.redo(imageId);
  return times;
}

/** The tiles of a round brush of 60 px drawn over a corner where four tiles meet. */
async function brushed(store: LabelStore, imageId: string): Promise<StoredTile[]> {
  const [column, row] = [random.integer(37), random.integer(37)];
  const places = [0, 1, 2, 3].map((i) => ({ x: column + (i % 2), y: row + (i >> 1) }));
  const value = random.integer(3);
  const [offsetX, offsetY] = [random.integer(60) - 30, random.integer(60) - 30];
  return (await store.tiles(imageId, places)).map(({ x, y, runs }, i) => {
    const pixels = decodeRuns(runs, labelTilePx ** 2);
    const [centerX, centerY] = [i % 2 === 0 ? labelTilePx : 0, i < 2 ? labelTilePx : 0];
    for (let at = 0; at < pixels.length; at++) {
      const dx = (at % labelTilePx) - centerX - offsetX;
      const dy = Math.floor(at / labelTilePx) - centerY - offsetY;
      if (dx * dx + dy * dy < 60 * 60) pixels[at] = value;
    }
    return { x, y, runs: encodeRuns(pixels) };
  });
}

async function measureImported(imageId: string): Promise<void> {
  const path = join(folder, 'mask.png');
  const blobs = Uint8Array.from({ length: sidePx * sidePx }, (_, i) =>
    Math.sin((i % sidePx) / 80) * Math.cos(Math.floor(i / sidePx) / 90) > 0.3 ? 1 : 0,
  );
  await sharp(blobs, { raw: { width: sidePx, height: sidePx, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 3 })
    .toFile(path);
  const classes = project.classes.list();
  const index = classes.map(({ classIndex }): [number, number] => [classIndex, classIndex]);
  writeMaskMapping(project, {
    source: 'file',
    classes: classes.map(({ classIndex, name, color }) => ({ classIndex, name, color })),
    tables: { index, palette: index, rgb: [] },
  });
  project.masks.upsertMany([
    {
      imageId,
      path,
      format: 'index',
      widthPx: sidePx,
      heightPx: sidePx,
      classPixels: [],
      ignoredPixels: 0,
      details: {},
    },
  ]);
  const store = new LabelStore(project);
  const view = [{ x: 20, y: 30 }];
  report('imported mask, first tile', await repeated(1, () => store.tiles(imageId, view)));
  report('imported mask, next tiles', await repeated(20, () => store.tiles(imageId, view)));
  const tiles = await brushed(store, imageId);
  const edit = { tool: 'brush', strokeId: 'a', isFinal: true, tiles };
  report('imported mask, first stroke', await repeated(1, () => store.commit(imageId, edit)));
}

async function repeated(times: number, work: () => unknown): Promise<number[]> {
  const measured: number[] = [];
  for (let i = 0; i < times; i++) {
    const started = performance.now();
    await work();
    measured.push(performance.now() - started);
  }
  return measured;
}

function report(name: string, times: number[]): void {
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor((times.length - 1) * share)] ?? 0).toFixed(1);
  console.log(`${name.padEnd(32)} median ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms`);
}
