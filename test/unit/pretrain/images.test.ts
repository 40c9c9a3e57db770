import { afterEach, beforeEach, expect, it } from 'vitest';
import { trainingImages } from '../../../src-main/pretrain/images.ts';
import type { Split } from '../../../src-main/project/values.ts';
import { tinyProject } from './tiny-run.ts';

let tiny: ReturnType<typeof tinyProject>;
beforeEach(() => (tiny = tinyProject()));
afterEach(() => tiny.dispose());

it('takes the images of train and unlabelled, and stays with them', () => {
  add('a.png', 'train');
  add('b.png', 'test');
  add('c.png', 'unlabelled');
  add('d.png', 'val');
  const ids = trainingImages(tiny.project, tiny.runId);
  expect(ids.map((id) => tiny.project.images.get(id)?.relPath)).toEqual(['a.png', 'c.png']);
  add('e.png', 'train');
  expect(trainingImages(tiny.project, tiny.runId)).toEqual(ids);
});

it('says when there is nothing to learn from, or no longer', () => {
  expect(() => trainingImages(tiny.project, tiny.runId)).toThrow('Import a folder');
  const id = add('a.png', 'train');
  trainingImages(tiny.project, tiny.runId);
  tiny.project.images.removeMany([id]);
  expect(() => trainingImages(tiny.project, tiny.runId)).toThrow('1 of the 1 images');
});

function add(relPath: string, split: Split): string {
  const { project } = tiny;
  const { id: folderId } = project.images.addFolder('/data');
  const [row] = project.images.upsertMany([
    {
      folderId,
      relPath,
      bytes: 1,
      modifiedMs: 0,
      sha256: relPath,
      format: 'png',
      widthPx: 64,
      heightPx: 64,
      channels: 3,
      bitDepth: 8,
      pages: 1,
      facts: {},
      groupKey: null,
      split,
      status: 'usable',
      duplicateOf: null,
    },
  ]);
  return row?.id ?? '';
}
