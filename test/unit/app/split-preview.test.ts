import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { groupByOf, groupChoices, previewSplit } from '../../../src-main/app/split-preview.ts';
import type { Grouping, SplitInput } from '../../../src-main/contract/import.ts';
import { divideImages } from '../../../src-main/datasets/import-splits.ts';
import { findLeaks, leakScore } from '../../../src-main/datasets/leaks.ts';
import { allOutlines } from '../../../src-main/datasets/split-plan.ts';
import { readSplitChoice } from '../../../src-main/datasets/stored-settings.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';

let dir: string;
let project: Project;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'decon-preview-'));
  project = createProject(join(dir, 'Test.decon'));
});
afterEach(() => {
  project.dispose();
  rmSync(dir, { recursive: true, force: true });
});

/** Images of some patients and slides, some labelled, some of them copies. */
function addImages(random: Random, count: number): void {
  const folderId = project.images.addFolder('/nowhere').id;
  const names = Array.from({ length: count }, (_, i) => {
    const patient = `P${random.integer(8)}`;
    return `${random.chance(0.3) ? 'siteB/' : ''}${patient}_s${random.integer(3)}_${i}.png`;
  });
  const rows = project.images.upsertMany(
    names.map((relPath, i) => ({
      folderId,
      relPath,
      bytes: 1,
      modifiedMs: 1,
      sha256: String(i),
      format: 'png',
      widthPx: 8,
      heightPx: 8,
      channels: 1,
      bitDepth: 8,
      pages: 1,
      facts: {},
      groupKey: null,
      split: 'unlabelled' as const,
      status: 'usable' as const,
      duplicateOf: null,
    })),
  );
  const [first] = rows;
  if (first !== undefined) project.images.setDuplicates(new Map([[rows[1]?.id ?? '', first.id]]));
  project.classes.replaceAll([
    { classIndex: 0, name: 'background', color: '#000000' },
    { classIndex: 1, name: 'cell', color: '#ffffff' },
  ]);
  project.masks.upsertMany(
    rows
      .filter(() => random.chance(0.6))
      .map(({ id }) => ({
        imageId: id,
        path: '/nowhere',
        format: 'index' as const,
        widthPx: 8,
        heightPx: 8,
        classPixels: [32, random.chance(0.4) ? 32 : 0],
        ignoredPixels: 0,
        details: {},
      })),
  );
}

function stored() {
  const images = allOutlines(project).filter(({ isUsable }) => isUsable === 1);
  const count = (part: string) => images.filter(({ split }) => split === part).length;
  return {
    images: images.length,
    splits: { train: count('train'), val: count('val'), test: count('test') },
    unlabelled: count('unlabelled'),
    unused: images.filter(({ split }) => split === null).length,
    groups: new Set(images.flatMap(({ groupKey }) => groupKey ?? [])).size,
  };
}

const groupings: readonly Grouping[] = [
  { type: 'none' },
  { type: 'kept' },
  { type: 'folder' },
  { type: 'pieces', where: 'name', from: 0, to: 0 },
  { type: 'pieces', where: 'name', from: 0, to: 1 },
  { type: 'pattern', pattern: '_(s[0-9])_' },
];

describe('the preview of a split', () => {
  test('is what is stored when it is accepted, and never leaks', () => {
    const random = new Random(11);
    addImages(random, 90);
    for (let i = 0; i < 24; i++) {
      const val = random.integer(4) / 10;
      const test = random.integer(4) / 10;
      const input: SplitInput = {
        grouping: groupings[i % groupings.length] ?? { type: 'none' },
        shares: { train: 1 - val - test, val, test },
        seed: random.integer(5),
      };
      const preview = previewSplit(allOutlines(project), input);
      const { grouping, ...rest } = input;
      divideImages(project, { ...rest, groupBy: groupByOf(grouping) });
      expect(stored()).toMatchObject({
        images: preview.images,
        splits: preview.splits,
        unlabelled: preview.unlabelled,
        unused: preview.unused,
        groups: preview.groups,
      });
      expect(preview.leaks.leaking).toBe(0);
      expect(leakScore(allOutlines(project))).toEqual(preview.leaks);
      expect(findLeaks(allOutlines(project))).toEqual([]);
    }
  });

  test('tells how many images leak as they are divided now', () => {
    addImages(new Random(2), 60);
    const shares = { train: 0.6, val: 0.2, test: 0.2 };
    divideImages(project, { groupBy: { type: 'none' }, shares, seed: 1 });
    const grouping: Grouping = { type: 'pieces', where: 'name', from: 0, to: 0 };
    const preview = previewSplit(allOutlines(project), { grouping, shares, seed: 1 });
    expect(preview.leaksNow.leaking).toBeGreaterThan(0);
    expect(preview.leaks.leaking).toBe(0);
    expect(preview.largest?.images).toBe(preview.examples[0]?.images);
  });

  test('offers the pieces of the names and recognizes what was chosen', () => {
    addImages(new Random(4), 60);
    const before = groupChoices(allOutlines(project), readSplitChoice(project), false);
    expect(before.suggested).toEqual({ type: 'pieces', where: 'name', from: 0, to: 0 });
    const grouping: Grouping = { type: 'pieces', where: 'name', from: 0, to: 1 };
    const shares = { train: 0.6, val: 0.2, test: 0.2 };
    divideImages(project, { groupBy: groupByOf(grouping), shares, seed: 3 });
    const after = groupChoices(allOutlines(project), readSplitChoice(project), false);
    expect(after).toMatchObject({ current: { grouping, shares, seed: 3 }, source: 'chosen' });
  });

  test('refuses shares that are not a whole and patterns that are none', () => {
    const shares = { train: 0.5, val: 0.2, test: 0.2 };
    const input: SplitInput = { grouping: { type: 'none' }, shares, seed: 0 };
    expect(() => previewSplit([], input)).toThrow('100 %');
    const whole = { train: 0.6, val: 0.2, test: 0.2 };
    const pattern: Grouping = { type: 'pattern', pattern: '(' };
    expect(() => previewSplit([], { grouping: pattern, shares: whole, seed: 0 })).toThrow(
      'not a regular expression',
    );
  });
});
