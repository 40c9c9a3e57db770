import { describe, expect, test } from 'vitest';
import { groupFunction } from '../../../src-main/datasets/groups.ts';
import {
  partsOf,
  patternOfPieces,
  pieceStatistics,
  suggestPiece,
} from '../../../src-main/datasets/name-pieces.ts';
import { Random } from '../../../src-main/lib/random.ts';

const random = new Random(3);
const letters = ['a', 'P01', 'slide', '7', 'ä', '(x', '<b>', 'long-'.slice(0, 4)];
const gaps = ['_', '-', '.', ' ', '__', '_-'];
const pick = (from: readonly string[]) => from[random.integer(from.length)] ?? '';

function randomName(): string {
  const pieces = Array.from({ length: 1 + random.integer(5) }, () => pick(letters));
  const name = pieces.reduce((text, piece) => text + pick(gaps) + piece);
  const folders = Array.from({ length: random.integer(3) }, () => pick(letters));
  const lead = random.chance(0.2) ? '_' : '';
  return [...folders, `${lead}${name}.png`].join('/');
}

describe('pieces of names', () => {
  test('are cut at separators, without the extension', () => {
    const parts = partsOf('siteA/P01_s-3.tiff');
    expect(parts.flatMap(({ where, text }) => (where === null ? [] : [[where, text]]))).toEqual([
      ['folder', 'siteA'],
      ['name', 'P01'],
      ['name', 's'],
      ['name', '3'],
    ]);
    expect(parts.map(({ text }) => text).join('')).toBe('siteA/P01_s-3.tiff');
  });

  test('keep every character of the path', () => {
    for (let i = 0; i < 300; i++) {
      const name = randomName();
      const joined = partsOf(name).map(({ text }) => text);
      expect(joined.join('')).toBe(name);
    }
  });

  test('make the pattern that finds just them', () => {
    for (let i = 0; i < 500; i++) {
      const name = randomName();
      const parts = partsOf(name);
      for (const where of ['folder', 'name'] as const) {
        const pieces = parts.filter((part) => part.where === where);
        const from = random.integer(3);
        const to = from + random.integer(2);
        const inside = parts.slice(
          parts.findIndex((part) => part.where === where && part.position === from),
          parts.findIndex((part) => part.where === where && part.position === to) + 1,
        );
        const expected = to < pieces.length ? inside.map(({ text }) => text).join('') : null;
        const group = groupFunction({
          type: 'pattern',
          pattern: patternOfPieces({ where, from, to }),
        });
        expect([name, where, from, to, group(name)]).toEqual([name, where, from, to, expected]);
      }
    }
  });

  test('suggest what several images share, the widest first', () => {
    const names = Array.from({ length: 60 }, (_, i) => `scan_P${i % 10}_slide${i % 20}_${i}.png`);
    const statistics = pieceStatistics(names);
    expect(statistics.map(({ values }) => values)).toEqual([1, 10, 20, 60]);
    expect(suggestPiece(statistics, names.length)).toEqual({ where: 'name', from: 1, to: 1 });
  });

  test('suggest nothing for names that say nothing', () => {
    const names = Array.from({ length: 40 }, (_, i) => `${(i * 7919).toString(16)}.png`);
    expect(suggestPiece(pieceStatistics(names), names.length)).toBeNull();
  });
});
