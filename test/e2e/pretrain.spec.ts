import type { Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';
import { planTinyRun } from './tiny-run.ts';

test.describe.configure({ timeout: 300_000 });

async function openStep(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Try it with the demo images' }).click();
  await expect(page.getByRole('link', { name: /Nuclei demo/ })).toBeVisible();
  await page.evaluate(() => (location.hash = '#/pretrain'));
  await expect(page.getByRole('radio', { name: 'Quick look' })).toBeChecked({ timeout: 60_000 });
}

test('a run is planned, paused, found again after a reload, continued and stopped', async ({
  app,
}) => {
  const { page } = app;
  const main = page.getByRole('main');
  await openStep(page);
  await planTinyRun(page);
  await page.getByRole('button', { name: 'Start learning' }).click();
  await expect(page.getByRole('heading', { name: 'tiny' })).toBeVisible();

  const curve = page.getByRole('slider', { name: 'Read values: Loss over the steps' });
  await expect(curve).toBeEnabled({ timeout: 120_000 });
  await expect(curve).toHaveAttribute('aria-valuetext', /encoder .*decoder/);
  const slots = page.getByRole('img', { name: /, decoder p2, \d+ slots?$/ });
  await expect(slots.first()).toBeVisible({ timeout: 60_000 });
  await expect(slots).toHaveCount(4);

  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(main.getByText('Paused', { exact: true })).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText(/weights of step .* are used/)).toBeVisible();
  await page.reload();
  await page.getByRole('button', { name: 'Continue, nothing changes' }).click();
  await expect(main.getByText('Running', { exact: true })).toBeVisible({ timeout: 60_000 });
  const said = main.getByRole('listitem').filter({ hasText: 'Continuing after step' });
  await expect(said).toBeVisible({ timeout: 120_000 });

  await page.getByRole('button', { name: 'Stop and keep' }).click();
  await expect(main.getByText('Done', { exact: true })).toBeVisible({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Show as table' }).click();
  await expect(page.getByRole('table', { name: 'Loss over the steps' })).toBeVisible();
  await page.getByRole('button', { name: 'All plans and runs' }).click();
  await expect(page.getByRole('row', { name: /tiny.*Done/ })).toBeVisible();
});

test('wrong settings are refused with a sentence; views follow the settings', async ({ app }) => {
  const { page } = app;
  await openStep(page);
  const view = page.getByRole('img', { name: /^Pair 1, view 1/ });
  await expect(view).toBeVisible();
  const before = await view.getAttribute('src');
  await page.getByRole('button', { name: 'Another sample' }).click();
  await expect(page.getByText('Sample 2')).toBeVisible();
  await expect(view).not.toHaveAttribute('src', before ?? '');
  await expect.poll(() => view.evaluate((image) => image.clientWidth)).toBeGreaterThan(20);

  await page.getByRole('button', { name: 'All options' }).click();
  await page.getByRole('tab', { name: 'Images' }).click();
  await page.getByRole('spinbutton', { name: 'Tile (px)', exact: true }).fill('32');
  await expect(
    page.getByText('Tiles must be at least as large as the crops.').first(),
  ).toBeVisible();
  await page.getByRole('button', { name: "Back to the plan's Tile" }).click();
  await page.getByRole('spinbutton', { name: 'Batch (tiles)', exact: true }).fill('8');
  await page.getByLabel('Keep as a plan called').fill('Small batch');
  await page.getByRole('button', { name: 'Save plan' }).click();
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByRole('radio', { name: 'Small batch' })).toBeChecked();
});
