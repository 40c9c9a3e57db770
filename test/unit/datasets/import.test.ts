import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { importImages } from '../../../src-main/datasets/import.ts';
import { CancelledError } from '../../../src-main/lib/errors.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';
import { brokenKinds } from './broken-files.ts';
import { greyPng, rectangle, sample, TemporaryFolder } from './sample-files.ts';

let folder: TemporaryFolder;
let project: Project;

beforeEach(() => {
  folder = new TemporaryFolder();
  project = createProject(join(folder.path, 'Test.decon'));
});
afterEach(() => {
  project.dispose();
  folder[Symbol.dispose]();
});

const classes = {
  ignore_index: 255,
  classes: [
    { index: 0, name: 'background', colour: '#000000' },
    { index: 1, name: 'cell', colour: '#00c8ff' },
  ],
};

async function addLabelled(name: string, seed: number): Promise<void> {
  folder.write(`data/images/${name}.png`, await sample(32, 24, seed).png().toBuffer());
  folder.write(`data/masks/${name}.png`, await greyPng(rectangle(32, 24, 1), 32, 24));
}

const dataPath = () => join(folder.path, 'data');
const relPaths = () => project.images.list({ status: 'usable' }).map(({ relPath }) => relPath);

describe('a data folder', () => {
  test('is recognised with masks, classes and split', async () => {
    for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) await addLabelled(name, i);
    folder.write('data/images/e.jpg', await sample(40, 40, 9).jpeg().toBuffer());
    folder.write('data/images/notes.txt', 'no picture');
    folder.writeJson('data/classes.json', classes);
    folder.writeJson('data/split.json', {
      train: ['a.png', 'b.png'],
      val: ['c.png'],
      test: ['d.png', 'gone.png'],
      unlabelled: ['e.jpg'],
    });
    const summary = await importImages(project, { imagesPath: dataPath() });
    expect(summary).toMatchObject({ found: 5, usable: 5, skipped: 0, otherFiles: 1, masks: 4 });
    expect(summary.fingerprint.splits).toEqual({
      train: 2,
      val: 1,
      test: 1,
      unlabelled: 1,
      unused: 0,
    });
    expect(summary.fingerprint.classes[1]).toMatchObject({ name: 'cell', images: 4 });
    expect(project.classes.list()[1]).toMatchObject({
      classIndex: 1,
      name: 'cell',
      color: '#00c8ff',
    });
    expect(project.importProblems.list()).toEqual([
      expect.objectContaining({ code: 'splits.no-image', path: 'gone.png' }),
    ]);
  });

  test('imported again opens only what changed', async () => {
    for (const [i, name] of ['a', 'b', 'c'].entries()) await addLabelled(name, i);
    await importImages(project, { imagesPath: dataPath() });
    const before = project.images.list();
    await addLabelled('d', 7);
    folder.write('data/images/b.png', await sample(32, 24, 99).png().toBuffer());
    utimesSync(join(dataPath(), 'images/b.png'), 1, 1);
    const summary = await importImages(project, { imagesPath: dataPath() });
    expect(summary).toMatchObject({ found: 4, usable: 4, unchanged: 2, masks: 4 });
    const after = project.images.list();
    expect(after.slice(0, 3).map(({ id, split }) => ({ id, split }))).toEqual(
      before.map(({ id, split }) => ({ id, split })),
    );
    expect(after[1]?.sha256).not.toBe(before[1]?.sha256);
  });

  test('keeps the rows of images that are gone, set aside', async () => {
    await addLabelled('a', 1);
    await addLabelled('b', 2);
    await importImages(project, { imagesPath: dataPath() });
    folder.write('data/images/b.png', '');
    await importImages(project, { imagesPath: dataPath() });
    expect(relPaths()).toEqual(['a.png']);
    expect(project.images.list().map(({ status }) => status)).toEqual(['usable', 'skipped']);
  });

  test('is split by seed, the same each time, when it has no split', async () => {
    for (let i = 0; i < 20; i++) await addLabelled(`p${i % 5}_${i}`, i);
    const groupBy = { type: 'pattern', pattern: '^(p[0-9])_' } as const;
    const options = { imagesPath: dataPath(), groupBy, seed: 3 };
    await importImages(project, options);
    const splits = () => project.images.list().map(({ groupKey, split }) => `${groupKey} ${split}`);
    const first = splits();
    expect(new Set(first).size).toBe(5); // each group in one part
    expect(new Set(first.map((text) => text.split(' ')[1]))).toEqual(
      new Set(['train', 'val', 'test']),
    );
    await importImages(project, { ...options, seed: 4 });
    await importImages(project, options);
    expect(splits()).toEqual(first);
  });

  test('may hold the masks among the images', async () => {
    for (const [i, name] of ['a', 'b'].entries()) {
      folder.write(`data/${name}.png`, await sample(32, 24, i).png().toBuffer());
      folder.write(`data/${name}_mask.png`, await greyPng(rectangle(32, 24, 1), 32, 24));
    }
    const summary = await importImages(project, { imagesPath: dataPath(), masksPath: dataPath() });
    expect(summary).toMatchObject({ found: 2, masks: 2 });
  });

  test('reports groups and duplicates in two parts', async () => {
    await addLabelled('p1_a', 1);
    await addLabelled('p1_b', 2);
    await addLabelled('p2_same', 2);
    folder.writeJson('data/split.json', {
      train: ['p1_a.png', 'p2_same.png'],
      test: ['p1_b.png'],
    });
    const groupBy = { type: 'pattern', pattern: '^(p[0-9])_' } as const;
    await importImages(project, { imagesPath: dataPath(), groupBy });
    expect(project.importProblems.list().map(({ code, path }) => [code, path])).toEqual([
      ['images.duplicate', 'p2_same.png'],
      ['splits.leak', 'p1'],
      ['splits.leak', 'p2_same.png'],
    ]);
  });
});

test('each of the fifteen odd kinds is listed with its reason', async () => {
  expect(brokenKinds).toHaveLength(15);
  for (let i = 0; i < 4; i++) {
    folder.write(`images/good ${i}.png`, await sample(48, 40, i).png().toBuffer());
    folder.write(`masks/good ${i}.png`, await greyPng(rectangle(48, 40, 1), 48, 40));
  }
  folder.writeJson('classes.json', classes);
  const expected: (readonly [path: string, code: string])[] = [];
  for (const [i, kind] of brokenKinds.entries()) {
    expected.push([await kind.make(folder, `odd ${i}`, 100 + i * 10), kind.code]);
  }
  const summary = await importImages(project, { imagesPath: folder.path });
  const problems = project.importProblems.list();
  for (const [i, [path, code]] of expected.entries()) {
    const problem = problems.find((entry) => entry.path === path && entry.code === code);
    expect(problem?.message, `${brokenKinds[i]?.name}`).toMatch(brokenKinds[i]?.says ?? /^$/);
  }
  const unusable = brokenKinds.filter(({ isUsable }) => !isUsable).length;
  expect(summary.masks).toBe(4);
  // The original of the duplicate stays; the link loop is no file.
  expect(summary.usable).toBe(4 + brokenKinds.length - unusable + 1);
});

test('a cancelled import ends with CancelledError and keeps what it read', async () => {
  for (let i = 0; i < 30; i++) await addLabelled(`a${i}`, i);
  const stop = new AbortController();
  const onProgress = ({ done, phase }: { done: number; phase: string }) => {
    if (phase === 'Reading images' && done >= 5) stop.abort();
  };
  const control = { signal: stop.signal, onProgress };
  await expect(importImages(project, { imagesPath: dataPath() }, control)).rejects.toThrow(
    CancelledError,
  );
  const kept = project.images.count();
  expect(kept).toBeGreaterThanOrEqual(5);
  expect(kept).toBeLessThan(30);
  const summary = await importImages(project, { imagesPath: dataPath() });
  expect(summary).toMatchObject({ usable: 30, unchanged: kept });
});

test.each([
  ['classes.json', '{"classes": []}', /is not a list of classes/],
  ['classes.json', '{"classes": [{"index": 1}]}', /at "classes.0.name"/],
  ['split.json', '{"train": ["a.png"], "test": ["a.png"]}', /in "train" and in "test"/],
  ['split.json', 'train', /is not a split/],
])('a faulty %s is refused before the images are read', async (name, content, message) => {
  await addLabelled('a', 1);
  folder.write(`data/${name}`, content);
  await expect(importImages(project, { imagesPath: dataPath() })).rejects.toThrow(message);
  expect(project.images.count()).toBe(0);
});

test('a folder without images is a sentence', async () => {
  folder.write('data/notes.txt', 'x');
  await expect(importImages(project, { imagesPath: dataPath() })).rejects.toThrow(
    /There is no image/,
  );
});

test('a folder that is not there is a sentence', async () => {
  const imagesPath = join(folder.path, 'nowhere');
  await expect(importImages(project, { imagesPath })).rejects.toThrow(/nowhere is not there/);
});
