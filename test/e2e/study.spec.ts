import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expectAccessible } from './axe.ts';
import { runDecon } from './decon.ts';
import { expect, test } from './fixtures.ts';
import { toggle } from './hands.ts';

const root = join(import.meta.dirname, '../..');

/** A project with labels and a pre-training, which is far too short to help. */
async function prepare(project: string): Promise<void> {
  await runDecon(['init', project]);
  await runDecon(['import', join(root, 'resources/demo'), '--project', project]);
  const sizes = ['--steps', '4', '--batch', '4', '--size', '64', '--tile', '96', '--scale', '0.5'];
  const network = ['--set', 'decoderChannels=32', '--set', 'hidden=64', '--set', 'dim=32'];
  await runDecon(['pretrain', '--name', 'short', '--project', project, ...sizes, ...network]);
}

test.use({
  startArguments: async ({ home }, use) => {
    const project = join(home.projectDir, 'Nuclei.decon');
    await prepare(project);
    await use(['--project', project]);
  },
});
test.describe.configure({ timeout: 420_000 });

async function planTinyStudy(page: Page): Promise<void> {
  await page.evaluate(() => (location.hash = '#/study'));
  await page.getByRole('button', { name: 'Compare starts' }).first().click();
  const shares = page.getByRole('group', { name: 'Labelled share' });
  for (const name of [/^5\s%/, /^10\s%/, /^25\s%/, /^100\s%/]) {
    await toggle(shares.getByRole('checkbox', { name }));
  }
  await page.getByLabel('Or a number of images').fill('14');
  await page.getByRole('button', { name: 'Add' }).click();
  await expect(shares.getByRole('checkbox', { name: /^14 images/ })).toBeChecked();
  const starts = page.getByRole('group', { name: 'Starts' });
  await toggle(starts.getByRole('checkbox', { name: /^Pre-trained encoder Takes/ }));
  await toggle(page.getByRole('radio', { name: '1', exact: true }));
  await toggle(page.getByRole('radio', { name: 'Steps', exact: true }));
  await page.getByLabel('Steps of each training').fill('12');
  await page.getByText('For experts', { exact: true }).click();
  await page.getByLabel('Crops in a step').fill('4');
  await page.getByLabel('Side of a crop (px)').fill('64');
  await page.getByLabel('Scale of the images').fill('0.5');
  await page.getByLabel('Name of the study').fill('tiny');
}

test('a study is planned, paused, continued and read down to single pixels', async ({ app }) => {
  const { page } = app;
  await planTinyStudy(page);

  const plan = page.getByRole('complementary', { name: 'The plan' });
  await expect(plan.getByText('14 labelled images')).toBeVisible();
  await expect(plan.getByText('40 whole labelled test images')).toBeVisible();
  await expect(plan.getByText(/rough prediction/)).toBeVisible();
  await expect(plan.getByText(/One repetition cannot tell/)).toBeVisible();
  await expect(plan.locator('dd', { hasText: /^2$/ })).toBeVisible(); // 1 share x 2 starts
  await expectAccessible(page, 'wizard');
  await plan.getByRole('button', { name: 'Compare starts' }).click();

  await expect(page.getByRole('heading', { level: 1, name: 'tiny' })).toBeVisible();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).click({ timeout: 60_000 });
  const verdict = page.getByRole('region', { name: 'Verdict' });
  await expect(verdict.getByText(/^With 12.73 % of the labels \(14 images\)/)).toContainText(
    'there is no verdict: mean IoU changed by', // from one repetition
    { timeout: 240_000 },
  );
  await expect(page.getByRole('table', { name: /Scores by labelled share/ })).toBeVisible();
  await expectAccessible(page, 'study');

  await page
    .getByRole('link', { name: /repetition 1: Done/ })
    .first()
    .click();
  await expect(page.getByRole('heading', { name: 'Classes' })).toBeVisible();
  await expectAccessible(page, 'scores');
  await page.getByRole('tab', { name: 'Confusion' }).click();
  await expectAccessible(page, 'confusion');
  await page
    .getByRole('button', { name: /nucleus, taken for background|background, taken/ })
    .first()
    .click();
  await readImages(page);
});

/** Steps through the images of a cell of the confusion matrix and says who is wrong. */
async function readImages(page: Page): Promise<void> {
  const images = page.getByRole('complementary', { name: 'Images' });
  await expect(images.getByText('most pixels first')).toBeVisible();
  const entries = images.getByRole('listitem').getByRole('button');
  await expect(entries.first()).toContainText('pixels');
  await expect(entries.first()).toHaveAttribute('aria-current', 'true');
  const predicted = page.waitForResponse(/prediction-tile/);
  await page.keyboard.press('d');
  await expect(entries.nth(1)).toHaveAttribute('aria-current', 'true');
  expect((await predicted).status()).toBe(200);
  await page.keyboard.press('a');
  await expect(entries.first()).toHaveAttribute('aria-current', 'true');
  await page.keyboard.press('l');
  await expect(entries.first()).toContainText('Label is wrong');
  await expect(page.getByRole('button', { name: 'Correct it in Label' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('button', { name: 'Correct it in Label' })).toBeVisible();
  await expectAccessible(page, 'images');
}

test('one model is trained from random weights and can be stopped and kept', async ({ app }) => {
  const { page } = app;
  await page.evaluate(() => (location.hash = '#/study/train'));
  await toggle(page.getByRole('radio', { name: /^Random weights/ }));
  await toggle(page.getByRole('radio', { name: 'Steps', exact: true }));
  await page.getByLabel('Steps of each training').fill('500');
  await page.getByText('For experts', { exact: true }).click();
  await page.getByLabel('Crops in a step').fill('2');
  await page.getByLabel('Side of a crop (px)').fill('64');
  await page.getByLabel('Scale of the images').fill('0.5');
  await page.getByRole('button', { name: 'Train the model' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'finetune-1' })).toBeVisible();
  await expect(page.getByRole('main').getByText(/of 500 steps/)).toBeVisible({ timeout: 120_000 });
  await page.getByRole('button', { name: 'Stop and keep' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop and keep' }).click();
  await expect(page.getByRole('tab', { name: 'Scores' })).toBeVisible({ timeout: 240_000 });
  await expect(page.getByText('Use offers this first')).toBeVisible();
});
