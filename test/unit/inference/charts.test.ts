import sharp from 'sharp';
import { expect, test } from 'vitest';
import { barChart, lineChart, smoothed } from '../../../src-main/inference/charts.ts';

test('a line chart is valid SVG with every series named and names kept apart', async () => {
  const svg = lineChart({
    title: 'Loss <total> & parts',
    xLabel: 'step',
    yLabel: 'loss',
    series: ['one', 'two', 'three'].map((name) => ({
      name,
      points: [
        [0, 2],
        [1, Number.NaN],
        [2, 1],
      ],
    })),
  });
  expect((await sharp(Buffer.from(svg)).metadata()).format).toBe('svg');
  expect(svg).toContain('Loss &lt;total&gt; &amp; parts');
  expect(svg).not.toContain('NaN');
  const places = [...svg.matchAll(/class="name t\d" x="[\d.]+" y="([\d.]+)"/g)].map((m) =>
    Number(m[1]),
  );
  expect(places.length).toBe(3);
  for (let i = 1; i < 3; i++) expect((places[i] ?? 0) - (places[i - 1] ?? 0)).toBeGreaterThan(12);
});

test('a chart without values says so, a bar without a value too', () => {
  expect(lineChart({ title: 't', xLabel: 'x', yLabel: 'y', series: [] })).toContain(
    'No values yet',
  );
  const groups = [{ label: 'mean', bars: [{ name: 'random', value: 0.5 }, { name: 'encoder' }] }];
  const svg = barChart({ title: 't', yLabel: 'Dice', groups });
  expect(svg).toContain('n/a');
  expect(svg).toContain('0.500');
});

test('smoothing starts at the first value and follows a step', () => {
  const result = smoothed(
    [
      [0, 1],
      [1, 1],
      [2, 2],
    ],
    0.5,
  );
  expect(result.map(([, y]) => y)).toEqual([1, 1, 1.5]);
});
