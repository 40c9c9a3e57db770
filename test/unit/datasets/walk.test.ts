import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { walkFolder } from '../../../src-main/datasets/walk.ts';
import { TemporaryFolder } from './sample-files.ts';

test('finds files in path order and leaves out what is no data', async () => {
  using folder = new TemporaryFolder();
  for (const path of [
    'b/2.png',
    'b/1.png',
    'a.png',
    '.hidden/x.png',
    'P.decon/x.png',
    '.DS_Store',
  ]) {
    folder.write(path, 'x');
  }
  folder.write('masks/1.png', 'x');
  const except = [join(folder.path, 'masks')];
  const { files, problems } = await walkFolder(folder.path, { except });
  expect(files.map(({ relPath }) => relPath)).toEqual(['a.png', 'b/1.png', 'b/2.png']);
  expect(problems).toEqual([]);
});

test('follows links, but into each folder once and never round', async () => {
  using folder = new TemporaryFolder();
  using elsewhere = new TemporaryFolder();
  elsewhere.write('far.png', 'x');
  folder.write('a/1.png', 'x');
  symlinkSync(elsewhere.path, join(folder.path, 'far'));
  symlinkSync(folder.path, join(folder.path, 'a', 'up'));
  symlinkSync(join(folder.path, 'a'), join(folder.path, 'again'));
  symlinkSync(join(folder.path, 'x'), join(folder.path, 'x'));
  const { files, problems } = await walkFolder(folder.path);
  expect(files.map(({ relPath }) => relPath)).toEqual(['a/1.png', 'far/far.png']);
  expect(problems.map(({ path, code }) => `${path} ${code}`).sort()).toEqual([
    'a/up images.link-loop',
    'again images.linked-twice',
    'x images.link-loop',
  ]);
});

test('a missing folder is a sentence', async () => {
  await expect(walkFolder('/nowhere/at/all')).rejects.toMatchObject({ code: 'images.missing' });
});

test('an aborted walk ends', async () => {
  using folder = new TemporaryFolder();
  mkdirSync(join(folder.path, 'a'));
  await expect(walkFolder(folder.path, { signal: AbortSignal.abort() })).rejects.toThrow(
    'Cancelled',
  );
});
