import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { AtomicFile, requireFreeSpace, writeFileAtomic } from '../../../src-main/lib/files.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);

test('a file appears under its name only when it is complete', () => {
  const path = join(folder, 'a.bin');
  writeFileSync(path, 'old');
  const file = new AtomicFile(path);
  file.write(bytes('new '));
  expect(readFileSync(path, 'utf8')).toBe('old');
  file.write(bytes('content'));
  file.commit();
  file.dispose();
  expect(readFileSync(path, 'utf8')).toBe('new content');
  expect(readdirSync(folder)).toEqual(['a.bin']);
});

test('a writer that fails leaves the old file and nothing else', () => {
  const path = join(folder, 'a.bin');
  function* failing(): Generator<Uint8Array> {
    yield bytes('half');
    throw new Error('source failed');
  }
  expect(() => writeFileAtomic(path, failing())).toThrow('source failed');
  expect(readFileSync(path, 'utf8')).toBe('new content');
  expect(readdirSync(folder)).toEqual(['a.bin']);
});

test('a folder that is not there is told in words', () => {
  expect(() => writeFileAtomic(join(folder, 'no/a.bin'), [])).toThrow(
    'could not be written. Check that the folder exists',
  );
});

test('a disk with too little room is told before anything is written', () => {
  expect(() => requireFreeSpace(folder, 1000)).not.toThrow();
  expect(() => requireFreeSpace(folder, 1e18)).toThrow(/only \d+ MB are free/);
});
