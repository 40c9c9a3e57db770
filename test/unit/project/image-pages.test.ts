import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProject, type Project } from '../../../src-main/project/project.ts';

const folder = mkdtempSync(join(tmpdir(), 'decon-pages-'));
let project: Project;

beforeAll(() => {
  project = createProject(join(folder, 'Test.decon'));
  const { id: folderId } = project.images.addFolder('/pictures');
  const rows = project.images.upsertMany(
    Array.from({ length: 25 }, (_, i) => ({
      folderId,
      relPath: `a_${String(i).padStart(2, '0')}%.png`,
      bytes: 1,
      modifiedMs: 1000 - i,
      sha256: `${i}`,
      format: 'png',
      widthPx: 10 + (i % 5),
      heightPx: 10,
      channels: 3,
      bitDepth: 8,
      pages: 1,
      facts: {},
      groupKey: null,
      split: i < 5 ? ('train' as const) : i < 10 ? null : ('unlabelled' as const),
      status: i === 24 ? ('skipped' as const) : ('usable' as const),
      duplicateOf: null,
    })),
  );
  project.masks.upsertMany(
    rows.slice(0, 5).map(({ id }) => ({
      imageId: id,
      path: '/mask.png',
      format: 'index' as const,
      widthPx: 10,
      heightPx: 10,
      classPixels: [100],
      ignoredPixels: 0,
      details: {},
    })),
  );
});
afterAll(() => {
  project.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const page = { order: 'path', offset: 0, limit: 10 } as const;

test('pages follow each other in order', () => {
  const first = project.imagePages.list({}, page);
  const second = project.imagePages.list({}, { ...page, offset: 10 });
  const names = [...first, ...second].map(({ relPath }) => relPath);
  expect(names).toEqual(names.toSorted());
  expect(new Set(names).size).toBe(20);
  expect(first[0]).toMatchObject({ isLabelled: 1, split: 'train' });
  expect(project.imagePages.list({}, { ...page, offset: 30 })).toEqual([]);
});

test('filters count what they list', () => {
  for (const [filter, count] of [
    [{}, 25],
    [{ status: 'usable' }, 24],
    [{ split: 'train' }, 5],
    [{ split: 'none' }, 5],
    [{ label: 'labelled' }, 5],
    [{ label: 'unlabelled', status: 'usable' }, 19],
    [{ search: '_1' }, 10],
    [{ search: '0%' }, 3],
    [{ search: "'; DROP TABLE images" }, 0],
    [{ hasProblem: true }, 0],
  ] as const) {
    expect(project.imagePages.count(filter)).toBe(count);
    expect(project.imagePages.list(filter, { ...page, limit: 100 })).toHaveLength(count);
  }
});

test('an image is found where it is listed, in every order', () => {
  for (const order of ['path', 'largest', 'newest'] as const) {
    const rows = project.imagePages.list({ status: 'usable' }, { ...page, order, limit: 100 });
    const id = rows[17]?.id ?? '';
    expect(project.imagePages.locate({ status: 'usable' }, order, id)).toBe(17);
    expect(project.imagePages.locate({ status: 'skipped' }, order, id)).toBeUndefined();
  }
});
