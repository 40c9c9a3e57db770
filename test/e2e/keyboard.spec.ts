import type { Locator, Page } from '@playwright/test';
import { expect, test } from './fixtures.ts';

test.describe.configure({ timeout: 600_000 });

test('images, pre-training and labels are done by keyboard alone', async ({ app }) => {
  const { page } = app;
  // Any use of the mouse would show here.
  await page.evaluate(() => {
    addEventListener('pointerdown', () => (document.title = 'a mouse was used'), { capture: true });
  });
  await test.step('home', () => startDemo(page));
  await test.step('images', () => images(page));
  await test.step('pre-train', () => pretrain(page));
  await test.step('label', () => label(page));
  await expect(page).not.toHaveTitle('a mouse was used');
});

test('a study and an export are done by keyboard alone', async ({ app }) => {
  await startDemo(app.page);
  await pretrain(app.page);
  await test.step('study', () => study(app.page));
  await test.step('use', () => use(app.page));
});

async function startDemo(page: Page): Promise<void> {
  await press(page, page.getByRole('button', { name: 'Try it with the demo images' }));
  await expect(page.getByText('170 images from 1 folder')).toBeVisible({ timeout: 60_000 });
}

async function images(page: Page): Promise<void> {
  await page.keyboard.press('Alt+1');
  await reach(page, page.getByRole('tab', { name: 'Overview' }));
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('tab', { name: 'All images' })).toBeFocused();
  await expect(page.getByRole('gridcell', { name: /\.(png|jpg)/ }).first()).toBeVisible();
  await reach(page, page.getByRole('grid', { name: 'Images' }));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/#\/images\/[^?]+/);
}

async function pretrain(page: Page): Promise<void> {
  await page.keyboard.press('Alt+2');
  await press(page, page.getByRole('button', { name: 'All options' }));
  const drawer = page.getByRole('dialog');
  await type(page, drawer.getByRole('spinbutton', { name: 'Steps', exact: true }), '4');
  await reach(page, drawer.getByRole('tab', { name: 'Length' }));
  await page.keyboard.press('ArrowRight');
  for (const [name, value] of [
    ['Batch (tiles)', '2'],
    ['Crop (px)', '32'],
    ['Tile (px)', '32'],
    ['Scale', '0.25'],
  ] as const) {
    await type(page, drawer.getByRole('spinbutton', { name, exact: true }), value);
  }
  await reach(page, drawer.getByRole('tab', { name: 'Images' }));
  await page.keyboard.press('ArrowRight');
  await type(page, drawer.getByRole('spinbutton', { name: 'Decoder width (channels)' }), '16');
  await press(page, drawer.getByRole('button', { name: 'Done' }));
  await press(page, page.getByRole('button', { name: 'Start learning' }));
  const main = page.getByRole('main');
  await expect(main.getByText('Done', { exact: true })).toBeVisible({ timeout: 240_000 });
}

async function label(page: Page): Promise<void> {
  await page.keyboard.press('Alt+3');
  const canvas = page.getByRole('application');
  await canvas.waitFor();
  await press(page, page.getByRole('button', { name: 'Go on labelling' }));
  await reach(page, canvas);
  await page.keyboard.press('b');
  await page.keyboard.press('2');
  await page.keyboard.press('Space');
  for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Space');
  await expect(page.getByText('All changes stored')).toBeVisible();
  await page.keyboard.press('Control+z');
  await page.keyboard.press('Control+Shift+Z');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByText('170 of 170')).toBeVisible();
}

async function study(page: Page): Promise<void> {
  await page.keyboard.press('Alt+4');
  await press(page, page.getByRole('button', { name: 'Compare starts' }).first());
  const shares = page.getByRole('group', { name: 'Labelled share' });
  for (const name of [/^5\s%/, /^25\s%/, /^100\s%/]) {
    await press(page, shares.getByRole('checkbox', { name }), 'Space');
  }
  const starts = page.getByRole('group', { name: 'Starts' });
  await press(page, starts.getByRole('checkbox', { name: /^Pre-trained encoder Takes/ }), 'Space');
  await choose(page, page.getByRole('radio', { name: '1', exact: true }));
  await choose(page, page.getByRole('radio', { name: 'Steps', exact: true }));
  await type(page, page.getByLabel('Steps of each training'), '6');
  await press(page, page.getByText('For experts', { exact: true }));
  await type(page, page.getByLabel('Crops in a step'), '4');
  await type(page, page.getByLabel('Side of a crop (px)'), '64');
  await type(page, page.getByLabel('Scale of the images'), '0.25');
  const plan = page.getByRole('complementary', { name: 'The plan' });
  await press(page, plan.getByRole('button', { name: 'Compare starts' }));
  await expect(page.getByRole('region', { name: 'Verdict' }).getByText(/^With 10/)).toContainText(
    'mean IoU changed by',
    { timeout: 300_000 },
  );
  await press(page, page.getByRole('link', { name: /repetition 1: Done/ }).first());
  await reach(page, page.getByRole('tab', { name: 'Scores' }));
  await page.keyboard.press('ArrowRight');
  await press(
    page,
    page.getByRole('button', { name: /taken for|found as such/, disabled: false }).first(),
  );
  await expect(page.getByText('most pixels first')).toBeVisible();
}

async function use(page: Page): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.keyboard.type('go to use');
  await page.keyboard.press('Enter');
  await reach(page, page.getByRole('tab', { name: 'Look at images' }));
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('heading', { name: 'Model card' })).toBeVisible();
  await press(page, page.getByRole('button', { name: 'Export', exact: true }));
  await expect(page.getByText(/largest difference of a\s+probability is \d/)).toBeVisible({
    timeout: 180_000,
  });
}

/** Walks with Tab until the element has the focus, as a user without a mouse does. */
async function reach(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  const hasFocus = (): Promise<boolean> =>
    wanted.evaluate((element) => element.contains(document.activeElement));
  for (let i = 0; i < 250; i++) {
    if (await hasFocus()) return;
    await page.keyboard.press('Tab');
  }
  await expect(wanted).toBeFocused(); // tells which one cannot be reached
}

async function press(page: Page, wanted: Locator, key = 'Enter'): Promise<void> {
  await reach(page, wanted);
  await page.keyboard.press(key);
}

async function type(page: Page, field: Locator, text: string): Promise<void> {
  await reach(page, field);
  await page.keyboard.press('Control+a');
  await page.keyboard.type(text);
}

/** Radio buttons are one stop; the arrows move inside. */
async function choose(page: Page, radio: Locator): Promise<void> {
  await radio.waitFor();
  const name = await radio.getAttribute('name');
  await reach(page, page.locator(`input[name="${name ?? ''}"]:checked`));
  for (let i = 0; i < 10 && !(await radio.isChecked()); i++) await page.keyboard.press('ArrowDown');
  await expect(radio).toBeChecked();
}
