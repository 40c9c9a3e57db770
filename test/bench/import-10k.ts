/**
 * Imports 10,000 generated files, 200 of them broken in fifteen ways, and prints time, peak memory
 * and the problems found; then compares the import with bare decoding. Exits 1 when something is
 * missing or memory passes 1 GB. Run: `node test/bench/import-10k.ts [files] [broken]`.
 */
import { readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { importImages } from '../../src-main/datasets/import.ts';
import { buildTileCache } from '../../src-main/datasets/tile-cache-build.ts';
import { forEachParallel } from '../../src-main/lib/parallel.ts';
import { createProject } from '../../src-main/project/project.ts';
import { brokenKinds } from '../unit/datasets/broken-files.ts';
import { sample, greyPng, rectangle, TemporaryFolder } from '../unit/datasets/sample-files.ts';

const [files = 10_000, broken = 200] = process.argv.slice(2).map(Number);
const maxBytes = 1e9;
const widthPx = 256;
const heightPx = 192;

interface Expected {
  readonly kind: string;
  readonly path: string;
  readonly code: string;
}

async function generate(folder: TemporaryFolder): Promise<Expected[]> {
  const mask = await greyPng(rectangle(widthPx, heightPx, 1), widthPx, heightPx);
  const base = await Promise.all(
    [...Array(16).keys()].map((seed) => sample(widthPx, heightPx, seed).raw().toBuffer()),
  );
  const raw = { width: widthPx, height: heightPx, channels: 3 } as const;
  await forEachParallel([...Array(files - broken).keys()], availableParallelism(), async (i) => {
    // A few bytes of its own make each file different.
    const pixels = Buffer.from(base[i % base.length] ?? []);
    pixels.writeUInt32LE(i, (i % 1000) * 4);
    const format = i % 3 === 0 ? 'png' : 'jpeg';
    const name = `${i % 20}/image ${i}`;
    folder.write(
      `images/${name}.${format}`,
      await sharp(pixels, { raw }).toFormat(format).toBuffer(),
    );
    if (i % 10 === 0) folder.write(`masks/${name}.png`, mask);
  });
  folder.writeJson('classes.json', {
    classes: [
      { index: 0, name: 'background' },
      { index: 1, name: 'thing' },
    ],
  });
  const expected: Expected[] = [];
  for (let i = 0; i < broken; i++) {
    const kind = brokenKinds[i % brokenKinds.length];
    if (kind === undefined) break;
    const path = await kind.make(folder, `odd ${i}`, 1000 + i * 5);
    expected.push({ kind: kind.name, path, code: kind.code });
  }
  return expected;
}

const peakBytes = () => process.resourceUsage().maxRSS * 1024;
const say = (text: string) => process.stdout.write(`${text}\n`);
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

using folder = new TemporaryFolder();
let started = performance.now();
const expected = await generate(folder);
say(
  `made ${files} files, ${expected.length} broken, in ${seconds(performance.now() - started)}, peak ${(peakBytes() / 1e6).toFixed(0)} MB`,
);

const project = createProject(join(folder.path, 'Bench.decon'));
started = performance.now();
const summary = await importImages(project, { imagesPath: folder.path });
const importMs = performance.now() - started;
const { found, usable, skipped, duplicates, masks } = summary;
say(
  `import: ${seconds(importMs)}, ${((found * 1000) / importMs).toFixed(0)} files/s, peak ${(peakBytes() / 1e6).toFixed(0)} MB`,
);
say(JSON.stringify({ found, usable, skipped, duplicates, masks, problems: summary.problems }));

started = performance.now();
const again = await importImages(project, { imagesPath: folder.path });
say(`again: ${seconds(performance.now() - started)}, ${again.unchanged} unchanged`);

const listed = new Set(project.importProblems.list().map(({ path, code }) => `${code} ${path}`));
const missing = expected.filter(({ path, code }) => !listed.has(`${code} ${path}`));
for (const { kind, path } of missing) say(`NOT LISTED: ${kind} ${path}`);

const ordinary = project.images
  .list({ status: 'usable' })
  .filter(({ widthPx: width, relPath }) => width === widthPx && relPath.includes('/'));
const paths = ordinary.map((image) => project.images.pathOf(image));
started = performance.now();
await forEachParallel(paths, availableParallelism(), async (path) => {
  await sharp(readFileSync(path)).resize({ width: 128, height: 96 }).raw().toBuffer();
});
const bareMs = performance.now() - started;
say(
  `bare decode and resize: ${(bareMs / paths.length).toFixed(2)} ms an image; import ${(importMs / found).toFixed(2)} ms`,
);

const request = {
  imageIds: ordinary.map(({ id }) => id),
  tileSizePx: 128,
  scale: 0.5,
  masks: true,
};
started = performance.now();
const cache = await buildTileCache(project, request);
const cacheMs = performance.now() - started;
say(
  `tile cache at scale 0.5: ${(cacheMs / ordinary.length).toFixed(2)} ms an image, ${cache.count} tiles, peak ${(peakBytes() / 1e6).toFixed(0)} MB`,
);
const batch = new Uint8Array(64 * 128 * 128 * 3);
started = performance.now();
for (let i = 0; i < 100; i++) {
  const start = (i * 977) % cache.count;
  cache.readImages(
    [...Array(64).keys()].map((k) => (start + k * 131) % cache.count),
    batch,
  );
}
const readMs = (performance.now() - started) / 100;
say(
  `reading: ${readMs.toFixed(2)} ms for 64 tiles, ${(batch.length / readMs / 1e6).toFixed(2)} GB/s`,
);
cache.dispose();
project.dispose();
say(
  `database ${(statSync(join(folder.path, 'Bench.decon/project.sqlite')).size / 1e6).toFixed(1)} MB`,
);
process.exitCode = missing.length > 0 || peakBytes() > maxBytes ? 1 : 0;
