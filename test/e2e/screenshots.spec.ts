import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { makingTakesMs } from './finished-project.ts';
import { expect, test } from './fixtures.ts';
import { screens, settle, watchPictures, withFinishedProject } from './screens.ts';

/** Where the pictures go; README shows some of them. */
const folder = process.env['DECON_SCREENSHOTS'] ?? 'test-results/screenshots';
const sizes = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];

for (const theme of ['light', 'dark'] as const) {
  for (const size of sizes) {
    const name = `${theme}-${size.width}x${size.height}`;
    test.describe(name, () => {
      test.setTimeout(makingTakesMs);
      test.use({
        colorScheme: theme,
        viewport: size,
        startArguments: async ({ home }, use) => use(await withFinishedProject(home)),
      });

      test('every screen fits its window', async ({ app }) => {
        mkdirSync(join(folder, name), { recursive: true });
        watchPictures(app.page);
        for (const screen of screens) {
          await test.step(screen.name, async () => {
            await screen.open(app.page);
            await settle(app.page);
            expect.soft(await overflowing(app.page), `${screen.name} overflows`).toEqual([]);
            await app.page.screenshot({ path: join(folder, name, `${screen.name}.png`) });
          });
        }
      });
    });
  }
}

/** Texts that stick out of, or are cut by, the place they have, other than with an ellipsis. */
function overflowing(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const told: string[] = [];
    for (const element of document.querySelectorAll('main *, aside *, dialog[open] *')) {
      const hasText = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== '',
      );
      if (!hasText || !element.checkVisibility({ visibilityProperty: true })) continue;
      const { right, width } = element.getBoundingClientRect();
      let parent: Element | null = element;
      while (parent !== null && getComputedStyle(parent).overflowX === 'visible') {
        parent = parent.parentElement;
      }
      const style = parent === null ? undefined : getComputedStyle(parent);
      const mayBeCut =
        style !== undefined &&
        (style.textOverflow === 'ellipsis' || ['auto', 'scroll'].includes(style.overflowX));
      const limit = parent?.getBoundingClientRect().right ?? innerWidth;
      if (width > 1 && !mayBeCut && right > limit + 1) {
        told.push(
          `"${element.textContent?.trim().slice(0, 40)}" by ${Math.round(right - limit)} px`,
        );
      }
    }
    return told.slice(0, 5);
  });
}
