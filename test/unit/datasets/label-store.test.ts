import { fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addClass, changeClass, removeClass } from '../../../src-main/datasets/class-edit.ts';
import { importImages } from '../../../src-main/datasets/import.ts';
import { LabelStore } from '../../../src-main/datasets/label-store.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { encodeRuns, notLabelled, uniformRuns } from '../../../src-main/lib/label-runs.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { connect } from '../../../src-main/project/database.ts';
import { createProject, openProject, type Project } from '../../../src-main/project/project.ts';
import { labelProject, readLabel, readMask, tilesOf, type LabelledShape } from './label-project.ts';
import { greyPng, rectangle, sample, TemporaryFolder } from './sample-files.ts';

const shape = { widthPx: 300, heightPx: 270 };

let folder: TemporaryFolder;
let project: Project;
let store: LabelStore;
let imageId = '';

beforeEach(() => {
  folder = new TemporaryFolder();
});
afterEach(() => {
  project.dispose();
  folder[Symbol.dispose]();
});

function start(shapes: readonly LabelledShape[] = [shape]): readonly string[] {
  const made = labelProject(folder.path, shapes);
  project = made.project;
  store = new LabelStore(project);
  imageId = made.imageIds[0] ?? '';
  return made.imageIds;
}

function reopen(): void {
  const { dir } = project;
  project.dispose();
  project = openProject(dir);
  store = new LabelStore(project);
}

function paint(pixels: Uint8Array, random: Random): Uint8Array {
  const next = pixels.slice();
  const value = random.integer(4) === 3 ? notLabelled : random.integer(3);
  const [left, top] = [random.integer(shape.widthPx), random.integer(shape.heightPx)];
  const side = 1 + random.integer(120);
  for (let y = top; y < Math.min(shape.heightPx, top + side); y++) {
    const from = y * shape.widthPx;
    next.fill(value, from + left, Math.min(from + left + side, from + shape.widthPx));
  }
  return next;
}

/** Only the tiles that differ, as an editor sends them. */
function changedTiles(before: Uint8Array, after: Uint8Array) {
  const old = tilesOf(before, shape);
  return tilesOf(after, shape).filter(
    ({ runs }, i) => Buffer.compare(runs, old[i]?.runs ?? Buffer.of()) !== 0,
  );
}

describe('editing', () => {
  test('strokes, fills, undo and redo equal a plain array with a list of states', async () => {
    start();
    const random = new Random(5);
    const empty = new Uint8Array(shape.widthPx * shape.heightPx).fill(notLabelled);
    let states: Uint8Array[] = [empty];
    let at = 0;
    for (let step = 0; step < 60; step++) {
      const now = defined(states[at], 'state');
      const choice = random.integer(10);
      if (choice < 5) {
        let next: Uint8Array = now;
        const strokeId = `stroke-${step}`;
        const pieces = 1 + random.integer(3);
        for (let piece = 1; piece <= pieces; piece++) {
          const painted = paint(next, random);
          const isFinal = piece === pieces && random.integer(4) > 0;
          const tiles = changedTiles(next, painted);
          await store.commit(imageId, { tool: 'brush', strokeId, isFinal, tiles });
          next = painted;
        }
        const isSame = Buffer.compare(next, now) === 0;
        if (!isSame || project.labels.get(imageId)?.position !== at) {
          states = [...states.slice(0, at + 1), next];
          at++;
        }
      } else if (choice < 7) {
        if (at === 0) expect(() => store.undo(imageId)).toThrow(/nothing to undo/);
        else store.undo(imageId);
        at = Math.max(0, at - 1);
      } else if (choice < 9) {
        const last = states.length - 1;
        if (at === last) expect(() => store.redo(imageId)).toThrow(/nothing to/);
        else store.redo(imageId);
        at = Math.min(last, at + 1);
      } else {
        if (now.includes(notLabelled)) {
          const value = random.integer(3);
          await store.fillRest(imageId, value, `fill-${step}`);
          states = [
            ...states.slice(0, at + 1),
            now.map((pixel) => (pixel === notLabelled ? value : pixel)),
          ];
          at++;
        }
      }
      if (step % 13 === 0) reopen();
      const expected = defined(states[at], 'state');
      expect(Buffer.compare(await readLabel(store, imageId, shape), expected), `${step}`).toBe(0);
      const label = project.labels.get(imageId);
      expect(label?.position ?? 0).toBe(at);
      for (const value of [0, 1, 2]) {
        const pixels = expected.filter((pixel) => pixel === value).length;
        expect(label?.valuePixels[value] ?? 0).toBe(pixels);
      }
    }
    while (at-- > 0) store.undo(imageId);
    expect(await readLabel(store, imageId, shape)).toEqual(empty);
  });

  test('pieces of one stroke are one step of undo, also after a restart', async () => {
    start();
    const tiles = (value: number) => [{ x: 0, y: 0, runs: uniformRuns(value, 256 * 256) }];
    const stroke = { tool: 'brush', strokeId: 'a' };
    await store.commit(imageId, { ...stroke, isFinal: false, tiles: tiles(0) });
    reopen();
    await store.commit(imageId, { ...stroke, isFinal: true, tiles: tiles(1) });
    await store.commit(imageId, { ...stroke, isFinal: true, tiles: tiles(1) }); // sent twice
    expect(project.labels.get(imageId)).toMatchObject({ position: 1, revision: 2 });
    const { changed } = store.undo(imageId);
    expect(changed).toEqual([{ x: 0, y: 0, runs: uniformRuns(notLabelled, 256 * 256) }]);
  });

  test('a new edit after undo drops what could be redone', async () => {
    start();
    const stroke = (strokeId: string, value: number) => ({
      tool: 'brush',
      strokeId,
      isFinal: true,
      tiles: [{ x: 1, y: 1, runs: uniformRuns(value, 44 * 14) }],
    });
    await store.commit(imageId, stroke('a', 0));
    await store.commit(imageId, stroke('b', 1));
    store.undo(imageId);
    await store.commit(imageId, stroke('c', 2));
    expect(project.labels.lastSequence(imageId)).toBe(2);
    expect(() => store.redo(imageId)).toThrow(/nothing to redo/);
  });

  test('tiles that cannot be are refused and nothing is stored', async () => {
    start();
    const commit = (x: number, runs: Uint8Array) =>
      store.commit(imageId, {
        tool: 'brush',
        strokeId: 'a',
        isFinal: true,
        tiles: [{ x, y: 0, runs }],
      });
    await expect(commit(2, uniformRuns(1, 256 * 256))).rejects.toThrow(/No label tile/);
    await expect(commit(1, uniformRuns(1, 256 * 256))).rejects.toThrow(/pixels/);
    await expect(commit(0, uniformRuns(9, 256 * 256))).rejects.toThrow(/removed meanwhile/);
    expect(project.labels.get(imageId)).toBeUndefined();
  });
});

describe('done labels', () => {
  test('training reads exactly what was painted, and follows later edits', async () => {
    start();
    const random = new Random(2);
    const pixels = paint(
      new Uint8Array(shape.widthPx * shape.heightPx).map(() => random.integer(3)),
      random,
    );
    const tiles = tilesOf(pixels, shape);
    await store.commit(imageId, { tool: 'brush', strokeId: 'a', isFinal: true, tiles });
    expect(project.masks.get(imageId)).toBeUndefined();
    await store.setState(imageId, 'done');
    expect(await readMask(project, imageId)).toEqual(pixels);
    const mask = defined(project.masks.get(imageId), 'mask');
    for (const index of [0, 1, 2]) {
      expect(mask.classPixels[index]).toBe(pixels.filter((pixel) => pixel === index).length);
    }
    expect(mask.ignoredPixels).toBe(pixels.filter((pixel) => pixel === notLabelled).length);
    expect(project.images.get(imageId)?.split).toBe('train');
    await store.fillRest(imageId, 2, 'b');
    expect(project.masks.get(imageId)?.details).toEqual({ revision: 2 });
    expect((await readMask(project, imageId)).includes(notLabelled)).toBe(
      (await readLabel(store, imageId, shape)).includes(notLabelled),
    );
    await store.setState(imageId, 'started');
    expect(project.masks.get(imageId)).toBeUndefined();
    expect(project.images.get(imageId)?.split).toBe('train'); // it may come back
  });

  test('an image without any label cannot be done', async () => {
    start();
    await expect(store.setState(imageId, 'done')).rejects.toThrow(/Nothing is labelled/);
    expect(project.labels.get(imageId)).toBeUndefined();
  });

  test('rows of any height are read alike', async () => {
    start();
    await store.fillRest(imageId, 1, 'a');
    await store.commit(imageId, {
      tool: 'brush',
      strokeId: 'b',
      isFinal: true,
      tiles: [
        { x: 1, y: 0, runs: encodeRuns(Uint8Array.from({ length: 44 * 256 }, (_, i) => i % 3)) },
      ],
    });
    await store.setState(imageId, 'done');
    const whole = await readMask(project, imageId);
    const { openImageMask } = await import('../../../src-main/datasets/class-mask.ts');
    const mask = defined(await openImageMask(project, imageId), 'mask');
    for (const [top, rows] of [
      [0, 1],
      [250, 20],
      [255, 2],
      [256, 14],
      [13, 100],
    ] as const) {
      const expected = whole.subarray(top * shape.widthPx, (top + rows) * shape.widthPx);
      expect(Buffer.compare(await mask.readRows(top, rows), expected)).toBe(0);
    }
  });

  test('groups never straddle, parts are kept, and every part gets images', async () => {
    const groups = Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? null : `slide ${i % 9}`));
    const ids = start(groups.map((groupKey) => ({ widthPx: 20, heightPx: 20, groupKey })));
    const given = new Map<string, string | null | undefined>();
    for (const id of new Random(3).shuffled(ids)) {
      await store.fillRest(id, 1, 'a');
      await store.setState(id, 'done');
      given.set(id, project.images.get(id)?.split);
      for (const [other, split] of given) expect(project.images.get(other)?.split).toBe(split);
      const partsOf = new Map<string, Set<string>>();
      for (const image of project.images.list()) {
        if (image.groupKey === null || image.split === null) continue;
        const part = image.split === 'unlabelled' ? 'train' : image.split;
        partsOf.set(image.groupKey, (partsOf.get(image.groupKey) ?? new Set()).add(part));
      }
      for (const parts of partsOf.values()) expect(parts.size).toBe(1);
    }
    expect(new Set(given.values())).toEqual(new Set(['train', 'val', 'test']));
  });
});

describe('imported masks', () => {
  async function importOne(): Promise<Uint8Array> {
    const pixels = rectangle(300, 270, 1);
    folder.write('data/images/a.png', await sample(300, 270, 1).png().toBuffer());
    folder.write('data/masks/a.png', await greyPng(pixels, 300, 270));
    project = createProject(`${folder.path}/Imported.decon`);
    await importImages(project, { imagesPath: `${folder.path}/data` });
    store = new LabelStore(project);
    imageId = project.images.list()[0]?.id ?? '';
    return Uint8Array.from(pixels);
  }

  test('an edit starts from the mask, leaves its file alone and can be undone', async () => {
    const pixels = await importOne();
    expect(Buffer.compare(await readLabel(store, imageId, shape), pixels)).toBe(0);
    expect(project.labels.get(imageId)).toBeUndefined();
    const painted = pixels.slice().fill(1, 0, 900);
    const tiles = changedTiles(pixels, painted);
    await store.commit(imageId, { tool: 'brush', strokeId: 'a', isFinal: true, tiles });
    expect(project.labels.get(imageId)).toMatchObject({ source: 'mask', state: 'done' });
    expect(Buffer.compare(await readMask(project, imageId), painted)).toBe(0);
    store.undo(imageId);
    expect(Buffer.compare(await readMask(project, imageId), pixels)).toBe(0);
    expect(project.masks.get(imageId)?.format).toBe('painted');
  });

  test('a mask that was imported anew is shown anew', async () => {
    await importOne();
    const before = await readLabel(store, imageId, shape);
    const inverted = Uint8Array.from(before, (pixel) => 1 - pixel);
    folder.write('data/masks/a.png', await greyPng(inverted, 300, 270));
    await importImages(project, { imagesPath: `${folder.path}/data` });
    expect(Buffer.compare(await readLabel(store, imageId, shape), inverted)).toBe(0);
  });

  test('importing the folder again keeps what was painted', async () => {
    const pixels = await importOne();
    const painted = pixels.slice().fill(1, 0, 900);
    const tiles = changedTiles(pixels, painted);
    await store.commit(imageId, { tool: 'brush', strokeId: 'a', isFinal: true, tiles });
    await importImages(project, { imagesPath: `${folder.path}/data` });
    expect(Buffer.compare(await readMask(project, imageId), painted)).toBe(0);
  });
});

describe('classes', () => {
  test('a class is removed only while no label has it, and later ones move down', async () => {
    const [first = '', second = ''] = start([shape, shape]);
    await store.fillRest(first, 2, 'a');
    await store.setState(first, 'done');
    expect(() => removeClass(project, 2)).toThrow(/81,000 pixels in 1 image/);
    removeClass(project, 1);
    expect(project.classes.list()).toMatchObject([
      { classIndex: 0, labelValue: 0, digit: 1 },
      { classIndex: 1, labelValue: 2, digit: 3 },
    ]);
    expect(project.masks.get(first)?.classPixels).toEqual([0, 81_000]);
    expect(new Set(await readMask(project, first))).toEqual(new Set([1]));
    const added = addClass(project, { name: 'new' });
    expect(added).toMatchObject({ classIndex: 2, labelValue: 3, digit: 2 });
    await store.fillRest(second, 3, 'b');
    await store.setState(second, 'done');
    expect(new Set(await readMask(project, second))).toEqual(new Set([2]));
  });

  test('undo never brings back pixels of a class that was removed', async () => {
    start();
    await store.fillRest(imageId, 1, 'a');
    const runs = uniformRuns(2, 256 * 256);
    const cover = [
      { x: 0, y: 0, runs },
      { x: 1, y: 0, runs: uniformRuns(2, 44 * 256) },
      { x: 0, y: 1, runs: uniformRuns(2, 256 * 14) },
      { x: 1, y: 1, runs: uniformRuns(2, 44 * 14) },
    ];
    await store.commit(imageId, { tool: 'brush', strokeId: 'b', isFinal: true, tiles: cover });
    removeClass(project, 1);
    addClass(project, { name: 'other' });
    store.undo(imageId);
    expect(new Set(await readLabel(store, imageId, shape))).toEqual(new Set([notLabelled]));
    expect(project.labels.get(imageId)?.valuePixels).toEqual({});
  });

  test('names are unique, keys move to the class that takes them', () => {
    start();
    expect(() => addClass(project, { name: 'Cell' })).toThrow(/already/);
    expect(() => changeClass(project, 0, { name: 'wall' })).toThrow(/already/);
    changeClass(project, 2, { digit: 1, name: 'Wall', color: '#123456' });
    expect(project.classes.list()).toMatchObject([
      { name: 'ground', digit: null },
      { name: 'cell', digit: 2 },
      { name: 'Wall', digit: 1, color: '#123456', labelValue: 2 },
    ]);
  });
});

describe('proposals', () => {
  test('accepted they become one edit, over or under what was painted', async () => {
    start();
    const run = project.runs.create({ kind: 'finetune', config: {}, seed: 0, start: 'random' });
    const painted = [{ x: 1, y: 1, runs: uniformRuns(2, 44 * 14) }];
    const proposal = {
      imageId,
      runId: run.id,
      modelName: run.name,
      confidence: 0.8,
      valuePixels: { 1: 81_000 },
      tiles: tilesOf(new Uint8Array(81_000).fill(1), shape),
    };
    project.labelProposals.put(proposal);
    await store.commit(imageId, { tool: 'brush', strokeId: 'a', isFinal: true, tiles: painted });
    await store.acceptProposal(imageId, true, 'b');
    expect(project.labels.get(imageId)?.valuePixels).toEqual({ 1: 81_000 - 44 * 14, 2: 44 * 14 });
    expect(project.labels.edit(imageId, 2)).toMatchObject({ madeBy: 'model', runId: run.id });
    expect(() => store.acceptProposal(imageId, true, 'c')).toThrow(/no proposal/);
    store.undo(imageId);
    expect(project.labels.get(imageId)?.valuePixels).toEqual({ 2: 44 * 14 });
    project.labelProposals.put(proposal);
    await store.acceptProposal(imageId, false, 'd');
    expect(project.labels.get(imageId)?.valuePixels).toEqual({ 1: 81_000 });
    expect(project.labels.get(imageId)?.confirmedAt).toBeNull();
  });
});

test('what was drawn survives kill -9 but for the last second', async () => {
  start([{ widthPx: 2000, heightPx: 2000 }]);
  project.dispose();
  const child = fork(new URL('./drawing-process.ts', import.meta.url), [project.dir, imageId]);
  let stored = 0;
  child.on('message', (count) => {
    stored = Number(count);
    if (stored === 40) child.kill('SIGKILL');
  });
  await once(child, 'exit');
  project = openProject(project.dir);
  store = new LabelStore(project);
  const db = connect(`${project.dir}/project.sqlite`, { create: false });
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  expect(db.pragma('foreign_key_check')).toEqual([]);
  db.close();
  // Each message tells of one more stored piece, and every piece paints one more pixel.
  const label = defined(project.labels.get(imageId), 'label');
  const painted = label.valuePixels[1] ?? 0;
  expect(painted).toBeGreaterThanOrEqual(stored);
  const pixels = await readLabel(store, imageId, { widthPx: 2000, heightPx: 2000 });
  expect(pixels.filter((pixel) => pixel === 1)).toHaveLength(painted);
  for (let { position } = label; position > 0; position--) store.undo(imageId);
  expect(project.labels.get(imageId)?.valuePixels).toEqual({});
});
