import { expect, test } from 'vitest';
import { distinctColor, hexColor, parseHexColor } from '../../../src-main/lib/colors.ts';

test('forty colors differ from each other, those next in the list clearly', () => {
  const colors = Array.from({ length: 40 }, (_, i) => distinctColor(i));
  expect(new Set(colors.map(hexColor)).size).toBe(40);
  const distance = (i: number) =>
    Math.hypot(...[0, 1, 2].map((c) => (colors[i]?.[c] ?? 0) - (colors[i + 1]?.[c] ?? 0)));
  for (let i = 0; i < 39; i++) expect(distance(i)).toBeGreaterThan(60);
});

test('hexadecimal colors are read and written', () => {
  expect(parseHexColor('#00C8ff')).toEqual([0, 200, 255]);
  expect(hexColor([0, 200, 255])).toBe('#00c8ff');
  expect(() => parseHexColor('blue')).toThrow('"blue" is not a color');
});
