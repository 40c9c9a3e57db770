/**
 * Measures the way of images into a training: how fast an import is beside bare decoding and
 * shrinking of the same files; what import and tile cache take of memory for each image; and, with
 * `--steps`, how long a training waits for data and how well its time and memory are predicted.
 * Makes its files itself and removes them.
 *
 *   node test/bench/data-path.ts [--files 2000] [--rounds 5] [--counts 1000,10000] [--steps 30]
 *
 * Exits 1 when the import reaches less than 80 % of bare decoding, when each of 100,000 images costs
 * more than 2 kB of memory, when a training waits for data more than 3 % of its time, or when the time
 * predicted at a tenth of it is off by more than 15 %.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import * as v from 'valibot';
import { filesAtOnce } from '../../src-main/datasets/import-pictures.ts';
import { importImages } from '../../src-main/datasets/import.ts';
import { openPixels } from '../../src-main/datasets/pixels.ts';
import { buildTileCache } from '../../src-main/datasets/tile-cache-build.ts';
import { CPU } from '../../src-main/graph/types.ts';
import { forEachParallel } from '../../src-main/lib/parallel.ts';
import type { RunControl } from '../../src-main/lib/progress.ts';
import { BatchMaker } from '../../src-main/pretrain/batches.ts';
import {
  PretrainOptionsSchema,
  resolvePretrainConfig,
  type PretrainOptions,
} from '../../src-main/pretrain/config.ts';
import { trainingImages } from '../../src-main/pretrain/images.ts';
import { measurePaces } from '../../src-main/pretrain/measure.ts';
import { PaceStore } from '../../src-main/pretrain/pace-store.ts';
import { runPretraining } from '../../src-main/pretrain/trainer.ts';
import { createProject, openProject } from '../../src-main/project/project.ts';
import { sample, TemporaryFolder } from '../unit/datasets/sample-files.ts';

const leastSpeedShare = 0.8;
const mostBytesPerImage = 2000;
const mostWaitShare = 0.03;
const mostTimeError = 0.15;

const parts = ['import', 'tiles'] as const;
type Part = (typeof parts)[number];
const titles: Readonly<Record<Part, string>> = { import: 'import', tiles: 'images of a training' };
const childReport = v.object({ bytes: v.number(), seconds: v.number() });
const planReport = v.object({
  secondsPerStep: v.number(),
  peakBytes: v.number(),
  compileSeconds: v.number(),
  spentSeconds: v.number(),
});
const trainReport = v.object({
  ...childReport.entries,
  predictedSeconds: v.number(),
  waitShare: v.number(),
});

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '5' },
    counts: { type: 'string', default: '1000,10000' },
    steps: { type: 'string', default: '0' },
    child: { type: 'string' },
    folder: { type: 'string', default: '' },
  },
});
const say = (text: string) => process.stdout.write(`${text}\n`);

if (values.child === 'import') await importAlone(values.folder);
else if (values.child === 'tiles') await tilesAlone(values.folder);
else if (values.child === 'plan') await planAlone(values.folder);
else if (values.child === 'train') await trainAlone(values.folder);
else {
  if (Number(values.files) > 0) await measureSpeed(Number(values.files), Number(values.rounds));
  await measureMemory(values.counts.split(',').map(Number).filter(Boolean));
  if (Number(values.steps) > 0) await measureTraining();
}

/** PNG and JPEG pictures with sides from 64 to 256 px, each one different. */
async function writePictures(folder: TemporaryFolder, count: number): Promise<string[]> {
  const numbers = [...Array(count).keys()];
  const paths: string[] = [];
  await forEachParallel(numbers, availableParallelism(), async (i) => {
    const picture = sample(64 + ((i * 37) % 193), 64 + ((i * 53) % 193), i);
    const format = i % 2 === 0 ? 'png' : 'jpeg';
    const bytes = await picture.toFormat(format).toBuffer();
    paths.push(folder.write(`pictures/${i % 20}/picture ${i}.${format}`, bytes));
  });
  return paths;
}

async function measureSpeed(count: number, rounds: number): Promise<void> {
  using folder = new TemporaryFolder();
  const paths = await writePictures(folder, count);
  const bare: Cost[] = [];
  const imported: Cost[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(await cost(() => decodeAll(paths)));
    imported.push(await importCost(folder, round));
  }
  const seconds = (costs: readonly Cost[]) => median(costs.map((each) => each.seconds));
  const work = (costs: readonly Cost[]) => median(costs.map((each) => each.processorSeconds));
  const share = seconds(bare) / seconds(imported);
  say(
    `import: ${(count / seconds(imported)).toFixed(0)} files/s, bare decoding and shrinking: ` +
      `${(count / seconds(bare)).toFixed(0)} files/s; ${percent(share)} of bare speed, ` +
      `${percent(work(bare) / work(imported))} by processor time, ${filesAtOnce()} files at once`,
  );
  if (share < leastSpeedShare) process.exitCode = 1;
}

/** What an import cannot do without: every file read, decoded and shrunk as the import does it. */
async function decodeAll(paths: readonly string[]): Promise<void> {
  await forEachParallel(paths, filesAtOnce(), async (path) => {
    await openPixels(path)
      .resize({ width: 512, height: 512, fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .raw()
      .toBuffer();
  });
}

/** An import into a new project, made before the clock starts. */
async function importCost(folder: TemporaryFolder, round: number): Promise<Cost> {
  const project = createProject(join(folder.path, `Round ${round}.decon`));
  try {
    return await cost(async () => {
      const { skipped } = await importImages(project, {
        imagesPath: join(folder.path, 'pictures'),
      });
      if (skipped > 0) throw new Error(`${skipped} files were not imported`);
    });
  } finally {
    project.dispose();
  }
}

interface Cost {
  readonly seconds: number;
  /** Of all threads of this process; steadier than the time on a machine with other work. */
  readonly processorSeconds: number;
}

async function cost(work: () => Promise<void>): Promise<Cost> {
  const before = process.cpuUsage();
  const seconds = await timed(work);
  const { user, system } = process.cpuUsage(before);
  return { seconds, processorSeconds: (user + system) / 1e6 };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

/** Small JPEG files, told apart by a comment; made in milliseconds where encoding takes minutes. */
async function writeSmallFiles(folder: TemporaryFolder, count: number): Promise<void> {
  const bases = await Promise.all(
    [...Array(16).keys()].map((seed) => sample(64, 64, seed).jpeg().toBuffer()),
  );
  for (let i = 0; i < count; i++) {
    const base = bases[i % bases.length] ?? Buffer.alloc(0);
    const comment = Buffer.from([0xff, 0xfe, 0, 6, 0, 0, 0, 0]);
    comment.writeUInt32BE(i, 4);
    const bytes = Buffer.concat([base.subarray(0, 2), comment, base.subarray(2)]);
    folder.write(`pictures/${i % 100}/picture ${i}.jpeg`, bytes);
  }
}

/** Imports and cuts more and more files, each time in a process of its own. */
async function measureMemory(counts: readonly number[]): Promise<void> {
  const peaks: Record<Part, number[]> = { import: [], tiles: [] };
  for (const count of counts) {
    using folder = new TemporaryFolder();
    await writeSmallFiles(folder, count);
    for (const part of parts) {
      const { bytes, seconds } = runChild(part, folder.path, childReport);
      peaks[part].push(bytes);
      say(
        `${titles[part]} of ${count}: peak ${inMb(bytes)} MB, ${(count / seconds).toFixed(0)} files/s`,
      );
    }
  }
  for (const part of parts) reportGrowth(part, counts, peaks[part]);
}

/** From the two largest counts: what every process needs to run at all is in both. */
function reportGrowth(part: Part, counts: readonly number[], peaks: readonly number[]): void {
  const [fewer, more] = [counts.at(-2), counts.at(-1)];
  if (fewer === undefined || more === undefined) return;
  const perImage = ((peaks.at(-1) ?? 0) - (peaks.at(-2) ?? 0)) / (more - fewer);
  say(`${titles[part]}: ${perImage.toFixed(0)} bytes of memory for each further image`);
  const isTelling = more - fewer >= 50_000; // below, the heap's own rhythm hides it
  if (isTelling && perImage > mostBytesPerImage) process.exitCode = 1;
}

function runChild<T>(child: string, folder: string, schema: v.GenericSchema<T>): T {
  const own = join(import.meta.dirname, 'data-path.ts');
  const args = [own, '--child', child, '--folder', folder, '--steps', values.steps];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The ${child} ended with ${status}: ${stderr}`);
  return v.parse(schema, JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
}

async function importAlone(folder: string): Promise<void> {
  const project = createProject(join(folder, 'Own.decon'));
  const seconds = await timed(async () => {
    await importImages(project, { imagesPath: join(folder, 'pictures') });
  });
  project.dispose();
  sayPeak(seconds);
}

/** What a pre-training does before its first step: choose its images, cut them, make a batch. */
async function tilesAlone(folder: string): Promise<void> {
  const project = openProject(join(folder, 'Own.decon'));
  const options = v.parse(PretrainOptionsSchema, { tilePx: 64, cropPx: 64, steps: 10 });
  const run = project.runs.create({ kind: 'pretrain', config: options, seed: 1, start: 'random' });
  const seconds = await timed(async () => {
    const imageIds = trainingImages(project, run.id);
    const request = { imageIds, tileSizePx: options.tilePx, scale: 1, masks: false };
    const tiles = await buildTileCache(project, request);
    const batches = new BatchMaker(resolvePretrainConfig(options, tiles.count), tiles);
    batches.make({ step: 0, rollbacks: 0, rateFactor: 1 });
    tiles.dispose();
  });
  project.dispose();
  sayPeak(seconds);
}

/** Plans a training of usual size, then trains, each in a process of its own, and compares. */
async function measureTraining(): Promise<void> {
  using folder = new TemporaryFolder();
  await writePictures(folder, 200);
  runChild('import', folder.path, childReport);
  const plan = runChild('plan', folder.path, planReport);
  const real = runChild('train', folder.path, trainReport);
  const planned = plan.compileSeconds + Number(values.steps) * plan.secondsPerStep;
  const error = Math.abs(real.predictedSeconds / real.seconds - 1);
  say(
    `training: waiting for data ${(100 * real.waitShare).toFixed(2)} % of the time; ` +
      `whole time ${real.seconds.toFixed(1)} s, at a tenth of it ${real.predictedSeconds.toFixed(1)} s ` +
      `were predicted (off by ${percent(error)})`,
  );
  say(
    `calibration of ${plan.spentSeconds.toFixed(0)} s: ${planned.toFixed(1)} s and ` +
      `${inMb(plan.peakBytes)} MB were predicted, peak ${inMb(real.bytes)} MB`,
  );
  if (real.waitShare > mostWaitShare || error > mostTimeError) process.exitCode = 1;
}

function options(): PretrainOptions {
  const steps = Number(values.steps);
  return v.parse(PretrainOptionsSchema, { cropPx: 128, tilePx: 128, steps });
}

async function planAlone(folder: string): Promise<void> {
  const config = resolvePretrainConfig(options(), 200);
  const store = new PaceStore(join(folder, 'paces'));
  const device = { name: 'cpu', device: CPU };
  const spentSeconds = await timed(async () => {
    await measurePaces([config], device, { store, control: quietControl(() => undefined) });
  });
  say(JSON.stringify({ ...store.get(config, 'cpu'), spentSeconds }));
}

async function trainAlone(folder: string): Promise<void> {
  const project = openProject(join(folder, 'Own.decon'));
  const run = project.runs.create({
    kind: 'pretrain',
    config: options(),
    seed: 1,
    start: 'random',
  });
  const started = performance.now();
  let predictedSeconds: number | undefined;
  let waitShare = 0;
  const control = quietControl(({ done, total, remainingSeconds, values: figures }) => {
    waitShare = figures?.['dataWaitShare'] ?? waitShare;
    if (remainingSeconds === undefined || done < total / 10) return;
    const [low, high] = remainingSeconds;
    predictedSeconds ??= (performance.now() - started) / 1000 + (low + high) / 2;
  });
  const seconds = await timed(() => runPretraining(project, run.id, CPU, control));
  project.dispose();
  const bytes = process.resourceUsage().maxRSS * 1024;
  say(JSON.stringify({ seconds, bytes, predictedSeconds, waitShare }));
}

function quietControl(report: RunControl['report']): RunControl {
  const { signal } = new AbortController();
  return { signal, requested: () => 'none', report, notice: () => undefined };
}

function sayPeak(seconds: number): void {
  say(JSON.stringify({ bytes: process.resourceUsage().maxRSS * 1024, seconds }));
}

function inMb(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
