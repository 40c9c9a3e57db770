import { expect, test } from 'vitest';
import { brightened, paintClasses } from '../../../src-main/inference/comparison.ts';
import { renderReport } from '../../../src-main/inference/report.ts';

const picture = { bytes: Uint8Array.of(0x89, 0x50), alt: 'a <cell>', caption: 'Dice 0.9' };

test('a report holds everything inside and escapes what it shows', () => {
  const page = renderReport({
    title: 'A & B',
    subtitle: 'demo',
    verdict: { tone: 'good', headline: 'helped', detail: 'by 0.1' },
    facts: [{ value: '0.9', label: 'Dice' }],
    sections: [
      {
        title: 'All',
        blocks: [
          { type: 'text', text: '1 < 2' },
          { type: 'table', head: ['start', 'Dice'], rows: [['random', '0.8']], caption: 'scores' },
          { type: 'charts', svgs: ['<svg></svg>'] },
          { type: 'comparison', head: ['picture', 'labels'], rows: [[picture, picture]] },
          { type: 'picture', picture },
          { type: 'commands', lines: ['decon runs "x"'] },
          { type: 'files', files: [{ href: 'out/a b.png', note: 'mask' }] },
        ],
      },
    ],
    footer: 'end',
  });
  for (const part of [
    '<h1>A &amp; B</h1>',
    '<p>1 &lt; 2</p>',
    '<th scope="row">random</th><td>0.8</td>',
    'src="data:image/png;base64,iVA=" alt="a &lt;cell&gt;"',
    '<code>decon runs &quot;x&quot;</code>',
    'href="out/a%20b.png"',
  ]) {
    expect(page).toContain(part);
  }
});

test('a dark picture is brightened for the eye, a bright one left as it is', () => {
  const dark = Uint8Array.from({ length: 300 }, (_, i) => i % 51);
  const bright = Uint8Array.from({ length: 300 }, (_, i) => i % 256);
  const image = { widthPx: 10, heightPx: 10 };
  expect(Math.max(...brightened({ ...image, data: dark }).data)).toBe(255);
  const kept = brightened({ ...image, data: bright }).data;
  expect(kept[100]).toBeLessThan(103);
});

test('painting leaves pixels of no class alone and the picture unchanged', async () => {
  const data = Buffer.alloc(4 * 4 * 3, 100);
  const classes = [
    { index: 0, name: 'background', color: '#000000' },
    { index: 1, name: 'cell', color: '#00c8ff' },
  ];
  const map = new Uint8Array(16).fill(0);
  map[5] = 1;
  const image = { data, widthPx: 4, heightPx: 4 };
  const painted = await paintClasses(image, map, classes, { opacity: 0.5, maxSidePx: 4 });
  expect([...painted.data.subarray(15, 18)]).toEqual([0, 200, 255]);
  expect([...painted.data.subarray(0, 3)]).toEqual([100, 100, 100]);
  expect(data.every((value) => value === 100)).toBe(true);
});
