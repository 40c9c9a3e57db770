import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { makingTakesMs } from './finished-project.ts';
import { expect, test } from './fixtures.ts';
import { planTinyRun } from './tiny-run.ts';
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
            await photograph(app.page, name, screen.name);
          });
        }
      });

      test('what runs fits its window', async ({ app: { page } }) => {
        mkdirSync(join(folder, name), { recursive: true });
        watchPictures(page);
        await page.evaluate(() => (location.hash = '#/pretrain'));
        await planTinyRun(page);
        await page.getByRole('button', { name: 'Start learning' }).click();
        const slots = page.getByRole('img', { name: /, decoder p2, \d+ slots?$/ });
        await expect(slots.first()).toBeVisible({ timeout: 120_000 });
        await photograph(page, name, 'running-pretrain');
        await page.getByRole('button', { name: /^Jobs/ }).click();
        await photograph(page, name, 'running-jobs');
        await page.keyboard.press('Escape');
        await page.getByRole('button', { name: 'Pause' }).click();
        await expect(page.getByText(/weights of step .* are used/)).toBeVisible({
          timeout: 60_000,
        });
        await photograph(page, name, 'paused-pretrain');
        await page.evaluate(() => (location.hash = '#/study/compare'));
        const plan = page.getByRole('complementary', { name: 'The plan' });
        await plan.getByRole('button', { name: 'Compare starts' }).click();
        await expect(page.getByTitle(/repetition 1: Training/)).toBeVisible({ timeout: 120_000 });
        await photograph(page, name, 'running-study');
      });
    });
  }
}

async function photograph(page: Page, variant: string, screen: string): Promise<void> {
  await settle(page);
  expect.soft(await overflowing(page), `${screen} overflows`).toEqual([]);
  await page.screenshot({ path: join(folder, variant, `${screen}.png`) });
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
