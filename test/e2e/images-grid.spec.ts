import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import sharp, { type Create } from 'sharp';
import { importImages } from '../../src-main/datasets/import.ts';
import { createProject } from '../../src-main/project/project.ts';
import { expect, test } from './fixtures.ts';

const count = 120;

/** Squares of one color each, so that a test can tell which one it sees; the first has a label. */
async function makeProject(homeDir: string): Promise<string> {
  const data = join(homeDir, 'data');
  for (const name of ['images', 'masks']) mkdirSync(join(data, name), { recursive: true });
  for (let i = 0; i < count; i++) {
    const create = { width: 48, height: 40, channels: 3, background: colorOf(i) } as const;
    writeFileSync(join(data, 'images', nameOf(i)), await png(create));
  }
  const mask = { width: 48, height: 40, channels: 3, background: '#00ff00' } as const;
  writeFileSync(join(data, 'masks', nameOf(0)), await png(mask));
  const classes = [
    { index: 0, name: 'background', colour: '#000000' },
    { index: 1, name: 'cell', colour: '#00ff00' },
  ];
  writeFileSync(join(data, 'classes.json'), JSON.stringify({ classes }));
  const dir = join(homeDir, 'Squares.decon');
  const project = createProject(dir, 'Squares');
  await importImages(project, { imagesPath: data });
  project.dispose();
  return dir;
}

/** Would be shown as `<` if names were read as HTML. */
function nameOf(i: number): string {
  return `cell &lt;${String(i).padStart(3, '0')}.png`;
}

function colorOf(i: number) {
  return { r: 40 + i, g: 10, b: 200 - i };
}

function png(create: Create): Promise<Buffer> {
  return sharp({ create }).png().toBuffer();
}

test.use({
  startArguments: async ({ home }, use) => use([await makeProject(home.dir)]),
});

async function openGrid(page: Page): Promise<Locator> {
  await page.evaluate(() => (location.hash = '#/images?tab=all'));
  const grid = page.getByRole('grid', { name: 'Images' });
  await expect(grid.getByRole('gridcell').first()).toBeVisible();
  return grid;
}

/** The color in the middle of the viewer. */
async function middleColor(page: Page): Promise<readonly number[]> {
  return page.locator('canvas').evaluate((canvas) => {
    if (!(canvas instanceof HTMLCanvasElement)) return [];
    const { width, height } = canvas;
    return [...(canvas.getContext('2d')?.getImageData(width / 2, height / 2, 1, 1).data ?? [])];
  });
}

function expectImage(page: Page, i: number): Promise<void> {
  const { r, g, b } = colorOf(i);
  return expect.poll(() => middleColor(page)).toEqual([r, g, b, 255]);
}

test('the grid shows, scrolls and is walked through by keys', async ({ app }) => {
  const { page } = app;
  const grid = await openGrid(page);
  await expect(grid).toHaveAttribute('aria-rowcount', /\d+/);
  const first = grid.getByRole('gridcell', { name: /000/ });
  await expect(first).toHaveAccessibleName(/labelled/);
  // Names are text.
  await expect(first).toContainText('cell &lt;000.png');
  await expect
    .poll(() =>
      first.locator('img').evaluate((image) => 'naturalWidth' in image && image.naturalWidth),
    )
    .toBe(48);
  await grid.focus();
  await page.keyboard.press('End');
  await expect(grid.getByRole('gridcell', { name: /119/ })).toBeInViewport();
  const active = await grid.getAttribute('aria-activedescendant');
  await expect(page.locator(`[id="${active}"]`)).toHaveAccessibleName(/119/);
  await page.keyboard.press('Home');
  await expect(first).toBeInViewport();
  await grid.evaluate((element) => (element.scrollTop = element.scrollHeight));
  await expect(grid.getByRole('gridcell', { name: /119/ })).toBeInViewport();
  const cells = await grid.getByRole('gridcell').count();
  expect(cells).toBeLessThan(count);
});

test('an image opens, zooms, shows its label and leads to the next', async ({ app }) => {
  const { page } = app;
  const grid = await openGrid(page);
  await grid.focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: /001/ })).toBeVisible();
  await expectImage(page, 1);
  await page.keyboard.press('d');
  await expect(page.getByRole('heading', { name: /002/ })).toBeVisible();
  await expectImage(page, 2);
  await page.keyboard.press('a');
  await page.keyboard.press('a');
  await expect(page.getByRole('heading', { name: /000/ })).toBeVisible();
  await expect(page.getByText('48 × 40 px')).toBeVisible();

  // Half of the label's green lies over the image.
  await expect.poll(async () => (await middleColor(page))[1]).toBeGreaterThan(100);
  await page.keyboard.press('x');
  await expectImage(page, 0);

  const viewer = page.getByRole('application');
  await viewer.focus();
  await page.keyboard.press('1');
  await expect(page.getByRole('button', { name: '100 %' })).toBeVisible();
  await page.keyboard.press('+');
  await expect(page.getByRole('button', { name: '125 %' })).toBeVisible();
  await page.keyboard.press('0');
  await expect(page.getByRole('button', { name: '800 %' })).toBeVisible();

  // Everything above level 40 becomes white, everything below black.
  await page.getByRole('slider', { name: 'White' }).fill('40');
  await page.getByRole('slider', { name: 'Black' }).fill('39');
  await expect.poll(() => middleColor(page)).toEqual([255, 0, 255, 255]);
  await page.getByRole('button', { name: 'Reset' }).click();
  await expectImage(page, 0);

  await page.keyboard.press('Escape');
  await expect(grid).toBeVisible();
});

test('a picture address answers nobody without the session, and no path', async ({ app }) => {
  const { page, origin } = app;
  test.skip(origin.startsWith('app:'), 'Electron has no HTTP server');
  const grid = await openGrid(page);
  const address = await grid.locator('img').first().getAttribute('src');
  expect(address).toMatch(/^\/image\/thumb\//);
  const stranger = await fetch(new URL(address ?? '', origin));
  expect(stranger.status).toBe(401);
  for (const path of ['/image/thumb/..%2f..%2fetc%2fpasswd?size=128', '/image/file/etc']) {
    const status = await page.evaluate(async (wanted) => (await fetch(wanted)).status, path);
    expect([400, 404]).toContain(status);
  }
});
