import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from './fixtures.ts';

const maxWindowBytes = 250_000;
const maxFirstPaintMs = 1000;

test('scripts and styles of the window stay light', () => {
  const assets = join(process.env['DECON_E2E_ASSETS'] ?? 'out/renderer', 'assets');
  const files = readdirSync(assets).filter((name) => /\.(js|css)$/.test(name));
  const sizes = files.map(
    (name) => gzipSync(readFileSync(join(assets, name)), { level: 9 }).length,
  );
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`The window: ${files.length} files, ${(bytes / 1000).toFixed(1)} kB gzipped`);
  expect(bytes).toBeLessThan(maxWindowBytes);
});

test('something is painted within a second of the answer', async ({ app }) => {
  const painted: number[] = [];
  for (let i = 0; i < 3; i++) {
    await app.page.reload();
    await expect(app.page.getByRole('heading', { level: 1 })).toBeVisible();
    // The browser notes a paint a moment after it happened.
    await app.page.waitForFunction(
      () => performance.getEntriesByName('first-contentful-paint').length > 0,
    );
    painted.push(
      await app.page.evaluate(() => {
        const [navigation] = performance.getEntriesByType('navigation');
        const [paint] = performance.getEntriesByName('first-contentful-paint');
        const answered =
          navigation instanceof PerformanceNavigationTiming ? navigation.responseStart : 0;
        return (paint?.startTime ?? Infinity) - answered;
      }),
    );
  }
  const median = painted.sort((a, b) => a - b)[1] ?? Infinity;
  console.log(`First paint after the answer: ${painted.map(Math.round).join(', ')} ms`);
  expect(median).toBeLessThan(maxFirstPaintMs);
});
