import { afterEach, describe, expect, it } from 'vitest';
import { FileLoader } from '../../../src-main/datasets/file-loader.ts';
import { TemporaryFolder } from './sample-files.ts';

describe('reading files for an import', () => {
  const folders: TemporaryFolder[] = [];
  const file = (bytes: Uint8Array): string => {
    const folder = new TemporaryFolder();
    folders.push(folder);
    return folder.write('picture.png', bytes);
  };
  afterEach(() => folders.splice(0).forEach((folder) => folder[Symbol.dispose]()));

  it.each([1, 3000, 2_000_000])('reads all of %i bytes', async (size) => {
    const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 7) % 251);
    const loaded = await new FileLoader().load(file(bytes), size);
    expect(loaded.bytes).toBe(size);
    expect(Buffer.compare(Buffer.from(loaded.input), bytes)).toBe(0);
  });

  it('reads side by side while the disk is slow, and tries again later', async () => {
    let ms = 0;
    const loader = new FileLoader(() => (ms += 40)); // every reading takes 40 ms
    const path = file(Uint8Array.of(1, 2, 3));
    expect(loader.isQuick).toBe(true);
    await loader.load(path, 3);
    expect(loader.isQuick).toBe(false);
    let files = 0;
    for (; !loader.isQuick; files++) {
      expect(await loader.load(path, 3)).toMatchObject({ bytes: 3 });
    }
    expect(files).toBeGreaterThan(20);
  });

  it('says which file is gone', async () => {
    const gone = `${file(Uint8Array.of(1))}.gone`;
    const attempt = new FileLoader().load(gone, 1);
    await expect(attempt).rejects.toMatchObject({ code: 'images.missing' });
    await expect(new FileLoader().load(gone, 1e7)).rejects.toMatchObject({
      code: 'images.missing',
    });
  });
});
