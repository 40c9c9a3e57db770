import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as v from 'valibot';
import { compileStep, stepGraph, type BatchData } from '../../../src-main/graph/compile.ts';
import { writeOnnx } from '../../../src-main/graph/onnx-writer.ts';
import {
  openCachedSession,
  pruneSessions,
  sessionFolder,
} from '../../../src-main/graph/session-cache.ts';
import {
  hostTensor,
  openSession,
  sessionTensor,
  type Session,
} from '../../../src-main/graph/session.ts';
import { inputName, traceStep } from '../../../src-main/graph/trace.ts';
import type { Device, HostTensors } from '../../../src-main/graph/types.ts';
import { AppError, defined } from '../../../src-main/lib/errors.ts';
import { BatchMaker } from '../../../src-main/pretrain/batches.ts';
import { PretrainOptionsSchema, resolvePretrainConfig } from '../../../src-main/pretrain/config.ts';
import {
  buildPretrainStep,
  initialState,
  pretrainBatchSpecs,
} from '../../../src-main/pretrain/step.ts';
import { cpu, noiseTiles, tinyOptions } from '../pretrain/tiny-run.ts';
import { trainingBatch, trainingState, trainingStep } from './tiny-training.ts';

const root = mkdtempSync(join(tmpdir(), 'decon-session-cache-'));
const usual = process.env['DECON_CACHE_DIR'];
let folder = '';
let tests = 0;

beforeEach(() => {
  folder = join(root, `${++tests}`);
});
afterEach(() => {
  if (usual === undefined) delete process.env['DECON_CACHE_DIR'];
  else process.env['DECON_CACHE_DIR'] = usual;
});
afterAll(() => rmSync(root, { recursive: true }));

const tiny = training();
const model = writeOnnx(tiny.graph, 'tiny');
const kept = await keptFile();

describe('openCachedSession', () => {
  it('finds the graph again and computes the same bits', async () => {
    const plain = await resultsOf(await openSession(model, cpu));
    const first = await openCachedSession(model, cpu, {}, folder);
    const second = await openCachedSession(model, cpu, {}, folder);
    expect([first.isFromCache, second.isFromCache]).toEqual([false, true]);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.session$/)]);
    expect(await resultsOf(first.session)).toEqual(plain);
    expect(await resultsOf(second.session)).toEqual(plain);
  });

  it('keeps another graph and other settings apart', async () => {
    const other = writeOnnx(training({ hidden: 24 }).graph, 'tiny');
    expect(await opened(model, cpu)).toBe(false);
    expect(await opened(other, cpu)).toBe(false);
    expect(await opened(model, { ...cpu, threads: 2 })).toBe(false);
    expect(readdirSync(folder)).toHaveLength(3);
  });

  it.each([
    ['cut off', (file: Buffer) => file.subarray(0, file.length / 2)],
    ['empty', () => Buffer.alloc(0)],
    [
      'with a changed byte',
      (file: Buffer) => file.map((byte, i) => (i === 5000 ? byte ^ 1 : byte)),
    ],
    ['of something else', () => Buffer.from('a letter '.repeat(100))],
    [
      'of another graph',
      (file: Buffer) => file.map((byte, i) => (i === file.length - 64 ? ~byte : byte)),
    ],
  ])('writes a file anew that is %s', async (_, damage) => {
    const path = join(folder, basename(kept.path));
    mkdirSync(folder);
    writeFileSync(path, damage(kept.bytes));
    expect(await opened(model, cpu)).toBe(false);
    expect(await opened(model, cpu)).toBe(true);
  });

  it('opens without a folder that can be written', async () => {
    writeFileSync(folder, 'a file where the folder should be');
    expect(await opened(model, cpu)).toBe(false);
  });

  it('leaves nothing behind when the graph is refused', async () => {
    const broken = new Uint8Array(100_000).fill(7);
    const failure = openCachedSession(broken, cpu, {}, folder);
    await expect(failure).rejects.toBeInstanceOf(AppError);
    await expect(failure).rejects.toMatchObject({ code: 'device.unavailable' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('does not keep a graph that opens at once', async () => {
    const { specs } = trainingBatch;
    const small = writeOnnx(traceStep(trainingStep, trainingState(), specs), 'small');
    expect(await opened(small, cpu)).toBe(false);
    expect(existsSync(folder)).toBe(false);
  });

  it('marks a graph as used', async () => {
    const path = join(folder, basename(kept.path));
    mkdirSync(folder);
    writeFileSync(path, kept.bytes);
    utimesSync(path, 1000, 1000);
    expect(await opened(model, cpu)).toBe(true);
    expect(statSync(path).mtimeMs).toBeGreaterThan(Date.now() - 600_000);
  });
});

describe('a training step', () => {
  it('trains with and without the cache to the same bits', async () => {
    process.env['DECON_CACHE_DIR'] = folder;
    const fresh = await trained();
    expect(readdirSync(sessionFolder())).toHaveLength(1);
    expect(await trained()).toEqual(fresh);
    expect(readdirSync(sessionFolder())).toHaveLength(1);
  });

  it('goes on from a written state, compiled fresh before and found in the cache after', async () => {
    process.env['DECON_CACHE_DIR'] = folder;
    const { whole, half } = await trained();
    const step = await compiled();
    await step.writeState(half);
    for (const i of [2, 3]) await step.run(tiny.batch(i));
    expect(await step.readState()).toEqual(whole);
    await step.dispose();
  });
});

describe('pruneSessions', () => {
  const ages = [50, 10, 30, 20, 40];

  function aged(): void {
    mkdirSync(folder);
    for (const age of ages) write(`${age}.session`, age);
  }

  function write(name: string, ageSeconds: number): void {
    writeFileSync(join(folder, name), Buffer.alloc(100));
    const time = Date.now() / 1000 - ageSeconds;
    utimesSync(join(folder, name), time, time);
  }

  it('keeps the files that were used last', () => {
    aged();
    pruneSessions(folder, { files: 3, bytes: 1e6 });
    expect(readdirSync(folder).sort()).toEqual(['10.session', '20.session', '30.session']);
  });

  it('keeps as many bytes as are allowed', () => {
    aged();
    pruneSessions(folder, { files: 100, bytes: 250 });
    expect(readdirSync(folder).sort()).toEqual(['10.session', '20.session']);
  });

  it('sweeps up what a crash left, and nothing that is being written', () => {
    mkdirSync(folder);
    write('a.session.1.part', 7200);
    write('a.session.2.tmp', 7200);
    write('b.session.3.part', 5);
    write('notes.txt', 7200);
    pruneSessions(folder);
    expect(readdirSync(folder).sort()).toEqual(['b.session.3.part', 'notes.txt']);
  });
});

function training(changes: Readonly<Record<string, unknown>> = {}) {
  const options = v.parse(PretrainOptionsSchema, { ...tinyOptions, decoder: 'none', ...changes });
  const config = resolvePretrainConfig(options, 6);
  const [step, state, specs] = [
    buildPretrainStep(config),
    initialState(config),
    pretrainBatchSpecs(config),
  ];
  const maker = new BatchMaker(config, noiseTiles());
  return {
    step,
    state,
    specs,
    batch: (i: number): BatchData => maker.make({ step: i, rollbacks: 0, rateFactor: 1 }),
    graph: stepGraph(step, { state, batch: specs, device: cpu }),
  };
}

async function opened(bytes: Uint8Array, device: Device): Promise<boolean> {
  const { session, isFromCache } = await openCachedSession(bytes, device, {}, folder);
  await session.release();
  return isFromCache;
}

/** The file that the first start leaves. */
async function keptFile(): Promise<{ readonly path: string; readonly bytes: Buffer }> {
  folder = join(root, 'kept');
  await opened(model, cpu);
  const path = join(folder, readdirSync(folder)[0] ?? '');
  return { path, bytes: readFileSync(path) };
}

/** All results of one run of the tiny step; ends the session. */
async function resultsOf(session: Session): Promise<HostTensors> {
  const batch = tiny.batch(0);
  const feeds = [
    ...Object.entries(tiny.state).map(
      ([name, tensor]) => [inputName('state', name), sessionTensor(tensor, tensor.data)] as const,
    ),
    ...Object.entries(tiny.specs).map(
      ([name, spec]) =>
        [inputName('batch', name), sessionTensor(spec, defined(batch[name], name))] as const,
    ),
  ];
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => [name, hostTensor(tensor)]),
  );
}

function compiled() {
  const { step, state, specs } = tiny;
  return compileStep(step, { state, batch: specs, device: cpu, label: 'cached' });
}

/** The state after two steps and after four. */
async function trained(): Promise<{ readonly half: HostTensors; readonly whole: HostTensors }> {
  const step = await compiled();
  for (const i of [0, 1]) await step.run(tiny.batch(i));
  const half = await step.readState();
  for (const i of [2, 3]) await step.run(tiny.batch(i));
  const whole = await step.readState();
  await step.dispose();
  return { half, whole };
}
