import { expect, test } from 'vitest';
import { formatArea, sharesOf } from '../../../../src-renderer/screens/use/areas.ts';
import { parseMarkdown } from '../../../../src-renderer/screens/use/markdown.ts';

test('areas have the unit that gives a readable figure, or pixels', () => {
  expect(formatArea(12_345, undefined)).toBe('12,345 px');
  expect(formatArea(1000, 0.5)).toBe('250 µm²');
  expect(formatArea(1_000_000, 0.5)).toBe('0.25 mm²');
  expect(formatArea(90, 100_000)).toBe('0.9 m²');
  expect(formatArea(5e8, 100_000)).toBe('5 km²');
  expect(formatArea(0, 0.5)).toBe('0 µm²');
});

test('shares are of the whole, and nothing has none of nothing', () => {
  expect(sharesOf([3, 1])).toEqual([0.75, 0.25]);
  expect(sharesOf([0, 0])).toEqual([0, 0]);
});

test('a card becomes headings, tables, lists and code', () => {
  const page = [
    '# cells',
    '',
    'Two lines of',
    'one `paragraph`.',
    '',
    '| value | class |',
    '| --- | --- |',
    '| 0 | a \\| b |',
    '',
    '- first',
    '- second',
    '',
    '```sh',
    '# not a heading',
    '```',
  ].join('\n');
  const plain = (text: string) => [{ text, isCode: false }];
  expect(parseMarkdown(page)).toEqual([
    { type: 'heading', level: 1, text: plain('cells') },
    {
      type: 'paragraph',
      text: [
        { text: 'Two lines of one ', isCode: false },
        { text: 'paragraph', isCode: true },
        { text: '.', isCode: false },
      ],
    },
    { type: 'table', head: ['value', 'class'], rows: [['0', 'a | b']] },
    { type: 'list', items: [plain('first'), plain('second')] },
    { type: 'code', text: '# not a heading' },
  ]);
});
