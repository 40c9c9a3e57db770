import { cp, mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { expectAccessible } from './axe.ts';
import { runDecon } from './decon.ts';
import { expect, test as base } from './fixtures.ts';
import type { Home } from './home.ts';

const root = resolve(import.meta.dirname, '../..');

/** A project with four images and no classes. */
const test = base.extend({
  startArguments: async ({ home }, use) => use([await makeProject(home)]),
});

test('what is painted is there after a reload, and can be undone then', async ({ app }) => {
  const { page } = app;
  await startLabelling(page);
  await paint(page, [-60, 0], [60, 20]);
  await expect(page.getByRole('complementary').getByText('Started')).toBeVisible();
  await stored(page);
  const painted = await paintedPixels(page);
  expect(painted).toBeGreaterThan(500);

  await page.reload();
  await canvas(page).waitFor();
  await expect.poll(() => paintedPixels(page)).toBe(painted);

  await canvas(page).focus();
  await page.keyboard.press('Control+z');
  await expect.poll(() => paintedPixels(page)).toBe(0);
  await page.keyboard.press('Control+Shift+Z');
  await expect.poll(() => paintedPixels(page)).toBe(painted);
});

test('the view stays where it is when a stroke was stored', async ({ app }) => {
  const { page } = app;
  await startLabelling(page);
  await page.keyboard.press('z');
  await expect(zoomOf(page)).toHaveText(/^100\s%/);
  const refreshed = page.waitForResponse((answer) => answer.url().endsWith('/labels/open'));
  await paint(page, [-60, 0], [60, 20]);
  await refreshed;
  await expect(zoomOf(page)).toHaveText(/^100\s%/);
});

test('kill -9 in the middle of a stroke loses at most a second of it', async ({ app }) => {
  const { page } = app;
  await startLabelling(page);
  const { hash } = new URL(page.url());
  const { x, y } = await middle(page);
  await page.mouse.move(x - 120, y - 100);
  await page.mouse.down();
  const visits: { readonly at: number; readonly y: number }[] = [];
  const begin = performance.now();
  for (let i = 0; performance.now() - begin < 2500; i++) {
    const down = y - 100 + i;
    await page.mouse.move(x + (i % 2 === 0 ? -120 : 120), down);
    visits.push({ at: performance.now(), y: down });
    await page.waitForTimeout(25);
  }
  const killedAt = performance.now();
  await app.kill9();
  const safe = visits.filter(({ at }) => at < killedAt - 1000).at(-1);
  if (safe === undefined) throw new Error('The stroke was too short to tell');

  const again = await app.restart();
  await openLabel(again, hash);
  const below = (await middle(again)).y;
  expect(below).toBe(y);
  await expect.poll(() => isPainted(again, { x, y: safe.y })).toBe(true);
});

test('an image is labelled with the keyboard alone', async ({ app }) => {
  const { page } = app;
  await startLabelling(page);
  const name = await page.getByRole('heading', { level: 2 }).textContent();
  await canvas(page).focus();
  await page.keyboard.press('1'); // everything else
  await page.keyboard.press('2'); // the thing
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Space');
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await expect.poll(() => paintedPixels(page)).toBeGreaterThan(300);
  const afterStroke = await paintedPixels(page);

  await page.keyboard.press('p');
  await page.keyboard.press('Enter');
  for (let i = 0; i < 4; i++) await page.keyboard.press('Control+ArrowRight');
  await page.keyboard.press('Enter');
  for (let i = 0; i < 4; i++) await page.keyboard.press('Control+ArrowUp');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter'); // the last corner again closes it
  await expect.poll(() => paintedPixels(page)).toBeGreaterThan(afterStroke);

  await page.keyboard.press('f');
  await page.keyboard.press('1');
  for (let i = 0; i < 6; i++) await page.keyboard.press('Control+ArrowLeft');
  await page.keyboard.press('Enter');
  await expect(page.getByText('0 % of this image not labelled')).toBeVisible();

  await page.keyboard.press('Control+Enter');
  await expect(page.getByText('1 of 4')).toBeVisible();
  await expect(page.getByRole('heading', { level: 2 })).not.toHaveText(name ?? '');
});

test('polygon, eraser and fill do what they say', async ({ app }) => {
  const { page } = app;
  await startLabelling(page);
  const { x, y } = await middle(page);
  await page.keyboard.press('p');
  for (const [dx, dy] of [
    [-80, -80],
    [80, -80],
    [80, 80],
    [-80, 80],
    [-80, -80],
  ] as const) {
    await page.mouse.click(x + dx, y + dy);
  }
  await expect.poll(() => isPainted(page, { x, y })).toBe(true);
  expect(await isPainted(page, { x: x + 100, y })).toBe(false);

  await page.keyboard.press('e');
  await paint(page, [0, -120], [0, 120]);
  await expect.poll(() => isPainted(page, { x, y })).toBe(false);
  expect(await isPainted(page, { x: x - 60, y })).toBe(true);

  await page.keyboard.press('f');
  await page.mouse.click(x, y);
  await expect(page.getByText('0 % of this image not labelled')).toBeVisible();
  await expect.poll(() => isPainted(page, { x, y })).toBe(true);
});

test('the screen is accessible before and while labelling', async ({ app }) => {
  const { page } = app;
  await showLabel(page);
  await page.getByRole('textbox', { name: 'The thing to find' }).waitFor();
  await expectAccessible(page, 'first classes');
  await startLabelling(page);
  await expectAccessible(page, 'editor');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys of the editor' }).waitFor();
  await expectAccessible(page, 'keys');
});

async function makeProject(home: Home): Promise<string> {
  const source = join(root, 'resources/demo/images');
  const images = join(home.dir, 'photos');
  await mkdir(images);
  const grey = (await readdir(source)).filter((name) => name.endsWith('.png')).slice(0, 4);
  for (const name of grey) await cp(join(source, name), join(images, name));
  const project = join(home.projectDir, 'photos.decon');
  await runDecon(['init', project], home.env);
  await runDecon(['import', images, '--project', project], home.env);
  return project;
}

/** Zoom, place and class below the canvas. */
const zoomOf = (page: Page) => page.locator('main p[aria-live="off"]');

const canvas = (page: Page) => page.getByRole('application');

async function showLabel(page: Page, hash = '#/label'): Promise<void> {
  await page.evaluate((wanted) => (location.hash = wanted), hash);
}

/** Creates both classes and opens the first image. */
async function startLabelling(page: Page): Promise<void> {
  await showLabel(page);
  await page.getByRole('textbox', { name: 'The thing to find' }).fill('nucleus');
  await page.keyboard.press('Enter');
  await openLabel(page);
}

async function openLabel(page: Page, hash?: string): Promise<void> {
  await showLabel(page, hash);
  await canvas(page).waitFor();
  await expect(page.getByRole('button', { name: /Mark as done/ })).toBeVisible();
  await page.waitForFunction(() => {
    const layer = document.querySelector('canvas');
    return layer !== null && layer.width > 300;
  });
}

async function middle(page: Page): Promise<{ readonly x: number; readonly y: number }> {
  const box = await canvas(page).boundingBox();
  if (box === null) throw new Error('The canvas is not shown');
  return { x: Math.round(box.x + box.width / 2), y: Math.round(box.y + box.height / 2) };
}

/** One stroke, from and to as distances from the middle of the canvas. */
async function paint(
  page: Page,
  from: readonly [number, number],
  to: readonly [number, number],
): Promise<void> {
  const { x, y } = await middle(page);
  await page.mouse.move(x + from[0], y + from[1]);
  await page.mouse.down();
  await page.mouse.move(x + to[0], y + to[1], { steps: 12 });
  await page.mouse.up();
}

async function stored(page: Page): Promise<void> {
  await expect(page.getByText('All changes stored')).toBeVisible();
}

/** How many pixels of the layer of labels show a class. */
function paintedPixels(page: Page): Promise<number> {
  return page.evaluate(() => {
    const layer = document.querySelector<HTMLCanvasElement>('canvas[data-layer="labels"]');
    const data = layer?.getContext('2d')?.getImageData(0, 0, layer.width, layer.height).data;
    let painted = 0;
    for (let i = 3; i < (data?.length ?? 0); i += 4) if (data?.[i] !== 0) painted++;
    return painted;
  });
}

/** Whether the label shows a class at a place of the window. */
function isPainted(page: Page, at: { readonly x: number; readonly y: number }): Promise<boolean> {
  return page.evaluate(({ x, y }) => {
    const layer = document.querySelector<HTMLCanvasElement>('canvas[data-layer="labels"]');
    if (layer === null) return false;
    const box = layer.getBoundingClientRect();
    const scale = layer.width / box.width;
    const [left, top] = [(x - box.left) * scale, (y - box.top) * scale];
    return layer.getContext('2d')?.getImageData(left, top, 1, 1).data[3] !== 0;
  }, at);
}
