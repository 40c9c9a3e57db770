import { describe, expect, test } from 'vitest';
import { nestedSubset } from '../../../src-main/datasets/fractions.ts';
import { groupFunction } from '../../../src-main/datasets/groups.ts';
import {
  assignSplits,
  defaultShares,
  type LabelledSplit,
  type SplitItem,
} from '../../../src-main/datasets/splits.ts';
import { Random } from '../../../src-main/lib/random.ts';

function items(count: number, change: (i: number) => Partial<SplitItem>): SplitItem[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `image ${i}`,
    group: null,
    classes: [0],
    split: null,
    ...change(i),
  }));
}

function counts(splits: ReadonlyMap<string, LabelledSplit | 'unlabelled' | null>) {
  return Object.fromEntries(
    [...Map.groupBy(splits.values(), String)].map(([split, entries]) => [split, entries.length]),
  );
}

describe('splits', () => {
  test('have the shares asked for', () => {
    expect(
      counts(
        assignSplits(
          items(100, () => ({})),
          defaultShares,
          1,
        ),
      ),
    ).toEqual({
      train: 70,
      val: 15,
      test: 15,
    });
  });

  test('are the same for a seed and differ between seeds', () => {
    const all = items(50, () => ({}));
    const [a, b, c] = [1, 1, 2].map((seed) => assignSplits(all, defaultShares, seed));
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
  });

  test('never cut a group, whatever its size', () => {
    const random = new Random(5);
    const all = items(200, () => ({ group: `g${Math.floor(random.uniform() ** 2 * 20)}` }));
    const splits = assignSplits(all, defaultShares, 1);
    const parts = Map.groupBy(all, ({ group }) => group);
    for (const members of parts.values()) {
      expect(new Set(members.map(({ id }) => splits.get(id))).size).toBe(1);
    }
    expect(counts(splits)['train']).toBeGreaterThan(110);
  });

  test('spread a rare class over all parts', () => {
    const all = items(100, (i) => ({ classes: i % 10 === 0 ? [0, 1] : [0] }));
    const splits = assignSplits(all, defaultShares, 1);
    const rare = all.filter(({ classes }) => classes?.includes(1));
    const parts = counts(new Map(rare.map(({ id }) => [id, splits.get(id) ?? null])));
    expect(parts['train']).toBe(7);
    expect(Object.keys(parts).sort()).toEqual(['test', 'train', 'val']);
  });

  test('keep images without mask for pre-training, but not beside val or test', () => {
    const all = items(60, (i) => ({ group: `g${i % 20}`, classes: i < 40 ? [0] : null }));
    const splits = assignSplits(all, defaultShares, 1);
    for (const { id, group, classes } of all) {
      if (classes !== null) continue;
      const beside = all.find((other) => other.group === group && other.classes !== null);
      const isTraining = splits.get(beside?.id ?? '') === 'train';
      expect(splits.get(id)).toBe(isTraining ? 'unlabelled' : null);
    }
  });

  test('keep earlier decisions when images are added', () => {
    const first = items(20, () => ({}));
    const splits = assignSplits(first, defaultShares, 1);
    const more = items(40, (i) => {
      const earlier = splits.get(`image ${i}`);
      return { split: earlier === undefined || earlier === 'unlabelled' ? null : earlier };
    });
    const again = assignSplits(more, defaultShares, 1);
    for (const { id } of first) expect(again.get(id)).toBe(splits.get(id));
    expect(counts(again)).toEqual({ train: 28, val: 6, test: 6 });
  });
});

describe('label fractions', () => {
  const all = Array.from({ length: 200 }, (_, i) => ({
    id: `image ${i}`,
    classes: [0, ...(i % 4 === 0 ? [1] : []), ...(i === 77 ? [2] : [])],
  }));

  test('are nested', () => {
    const [five, ten, quarter, full] = [0.05, 0.1, 0.25, 1].map((f) => nestedSubset(all, f, 3));
    expect([five, ten, quarter, full].map((ids) => ids?.length)).toEqual([10, 20, 50, 200]);
    expect(ten?.slice(0, 10)).toEqual(five);
    expect(quarter?.slice(0, 20)).toEqual(ten);
    expect(full?.slice(0, 50)).toEqual(quarter);
  });

  test('hold every class, the rarest too', () => {
    for (let seed = 0; seed < 10; seed++) {
      expect(nestedSubset(all, 0.05, seed)).toContain('image 77');
    }
  });

  test('have the same mix as the whole', () => {
    const ids = new Set(nestedSubset(all, 0.25, 1));
    const withOne = all.filter(({ id, classes }) => ids.has(id) && classes.includes(1));
    expect(withOne.length).toBeGreaterThanOrEqual(12);
    expect(withOne.length).toBeLessThanOrEqual(14);
  });

  test('hold at least one image, depend on the seed alone', () => {
    const few = all.slice(1, 4).map(({ id }) => ({ id, classes: [0] }));
    expect(nestedSubset(few, 0.01, 1)).toHaveLength(1);
    expect(nestedSubset(all, 0.1, 1)).toEqual(nestedSubset(all, 0.1, 1));
    expect(nestedSubset(all, 0.1, 1)).not.toEqual(nestedSubset(all, 0.1, 2));
  });
});

describe('groups', () => {
  test('by folder; files directly in the images folder stand alone', () => {
    const groupOf = groupFunction({ type: 'folder' });
    expect(['p1/a.png', 'p1/x/b.png', 'c.png'].map(groupOf)).toEqual(['p1', 'p1/x', null]);
  });

  test('by the first bracket of a pattern', () => {
    const groupOf = groupFunction({ type: 'pattern', pattern: '^(slide[0-9]+)_' });
    expect(['slide12_a.png', 'other.png'].map(groupOf)).toEqual(['slide12', null]);
  });

  test.each([
    ['([', /not a regular expression/],
    ['slide', /no part in brackets/],
  ])('the pattern %s is refused', (pattern, message) => {
    expect(() => groupFunction({ type: 'pattern', pattern })).toThrow(message);
  });
});
