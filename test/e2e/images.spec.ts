import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, parse } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test, type App } from './fixtures.ts';
import { chooseFolder } from './hands.ts';

const demo = join(import.meta.dirname, '../../resources/demo');
const shared = process.env['DECON_SHARED'] ?? join(import.meta.dirname, '../../../shared');
const nuclei = join(shared, 'data/nuclei');
const evilName = '<img src=x onerror=document.title=1>.png';

test.beforeEach(({ app }) => {
  test.skip(app.origin.startsWith('app:'), 'There, the dialog is the system’s own.');
});

/** Demo images under the names of nine patients, with masks, a copy, and files that cannot be read. */
function makeFolder(homeDir: string): void {
  const images = join(homeDir, 'cells', 'images');
  const masks = join(homeDir, 'cells', 'masks');
  mkdirSync(images, { recursive: true });
  mkdirSync(masks);
  const names = readdirSync(join(demo, 'images'))
    .filter((name) => existsSync(join(demo, 'masks', `${parse(name).name}.png`)))
    .slice(0, 27);
  for (const [i, name] of names.entries()) {
    const renamed = `P0${(i % 9) + 1}_slide${i}`;
    cpSync(join(demo, 'images', name), join(images, renamed + parse(name).ext));
    if (i < 24) {
      cpSync(join(demo, 'masks', `${parse(name).name}.png`), join(masks, `${renamed}.png`));
    }
  }
  const first = join(images, readdirSync(images)[0] ?? '');
  cpSync(first, join(images, `P01_twin${parse(first).ext}`));
  writeFileSync(join(images, evilName), readFileSync(first).subarray(0, 90));
  writeFileSync(join(images, 'P02_empty.png'), '');
  cpSync(join(masks, readdirSync(masks)[0] ?? ''), join(masks, 'nobody.png'));
}

async function newProject(app: App): Promise<Page> {
  const { page } = app;
  await page.getByRole('button', { name: 'New project' }).click();
  await page.getByLabel('Name').fill('Cells');
  await page.getByRole('button', { name: 'Create project' }).click();
  await expect(page.getByRole('heading', { name: 'Drop a folder of images here' })).toBeVisible();
  return page;
}

const tab = (page: Page, name: string | RegExp) => page.getByRole('tab', { name });

test('a folder is imported, understood, grouped and labelled from files', async ({ app }) => {
  makeFolder(app.homeDir);
  const page = await newProject(app);
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await chooseFolder(page, 'cells', 'images');
  await expect(page.getByRole('heading', { name: 'What was understood' })).toBeVisible();
  await expect(page.getByText('27 images from 1 folder')).toBeVisible();
  await expect(page.getByText('1 copy left out')).toBeVisible();

  await test.step('problems are counted, told and listed in a file', async () => {
    await tab(page, /Problems/).click();
    await page.getByText('Damaged or incomplete files').click();
    await expect(page.getByText(`${evilName} is damaged or incomplete`)).toBeVisible();
    await page.getByText('Copies of another image').click();
    await expect(page.getByText('left out', { exact: true })).toBeVisible();
    await expect(page).toHaveTitle(/Images/); // nothing of a name is run
    await page.getByRole('button', { name: 'All of it as a table' }).click();
    await expect(page.getByText(/import-problems\.csv/)).toBeVisible();
    const table = readFileSync(join(app.projectDir, 'Cells.decon/import-problems.csv'), 'utf8');
    expect(table).toContain('images.damaged');
  });

  await test.step('the meaning of mask values is shown and changed on pictures', async () => {
    await tab(page, 'Labels from files').click();
    await page.getByRole('button', { name: 'Look at them' }).click();
    await expect(page.getByRole('heading', { name: /Does this look right/ })).toBeVisible();
    await expect(page.getByText('24 of 27 images have a mask here.')).toBeVisible();
    await expect(page.getByText('1 mask without an image')).toBeVisible();
    const sample = page.locator('canvas').first();
    await expect.poll(() => colorsIn(sample)).toEqual(['0,114,178,255']);
    await page.getByLabel('Color of class 1').fill('#ff8000');
    await expect.poll(() => colorsIn(sample)).toEqual(['255,128,0,255']);
    await page.getByLabel('Name of class 1').fill('nucleus');
    await page.getByLabel('Name of class 0').fill('Nucleus');
    await expect(page.getByText('Two classes have the same name.')).toBeVisible();
    await page.getByLabel('Name of class 0').fill('background');
    await page.getByRole('button', { name: 'Use 24 masks' }).click();
    await expect(page.getByRole('rowheader', { name: 'nucleus' })).toBeVisible();
    await expect(page.getByText('24 labelled images')).toBeVisible();
  });

  await test.step('groups are chosen by a click and previewed before they are stored', async () => {
    await tab(page, 'Groups and split').click();
    const pieces = page.getByRole('group', { name: 'Pieces of a name' });
    await expect(pieces.getByRole('button', { name: /^P0/ })).toHaveAttribute(
      'aria-pressed',
      'true',
    );
    const groups = page.getByRole('list', { name: 'Largest groups' });
    await expect(groups.getByRole('listitem')).toHaveCount(9);
    await expect(page.getByText(/Leak score 0/)).toBeVisible();
    await pieces.getByRole('button', { name: /^slide/ }).click();
    await expect(groups.getByRole('listitem')).toHaveCount(12);
    await pieces.getByRole('button', { name: /^slide/ }).click();
    await expect(groups.getByRole('listitem')).toHaveCount(9);
    await page.getByRole('radio', { name: /A regular expression/ }).check();
    await page.getByLabel('Regular expression on the path').fill('(');
    await expect(page.getByText(/not a regular expression/)).toBeVisible();
    await page.getByRole('radio', { name: /A part of the name/ }).check();
    await page.getByRole('button', { name: 'Use this' }).click();
    await expect(page.getByRole('heading', { name: 'This is how it is' })).toBeVisible();
    await tab(page, 'Overview').click();
    await expect(page.getByText('never divided')).toBeVisible();
  });

  await test.step('an image opens from the grid', async () => {
    await tab(page, 'All images').click();
    await page.getByRole('gridcell').first().dblclick();
    await expect(page).toHaveURL(/#\/images\/[^?]+/);
  });
});

test('new and removed files are found by looking again', async ({ app }) => {
  makeFolder(app.homeDir);
  const page = await newProject(app);
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await chooseFolder(page, 'cells', 'images');
  await expect(page.getByText('27 images from 1 folder')).toBeVisible();
  const unlabelled = readdirSync(join(demo, 'images')).at(-1) ?? '';
  cpSync(join(demo, 'images', unlabelled), join(app.homeDir, 'cells/images', unlabelled));
  await page.getByRole('button', { name: 'Look again' }).click();
  await expect(page.getByText('28 images from 1 folder')).toBeVisible();
  await page.getByRole('button', { name: 'Remove images' }).click();
  await page.getByRole('button', { name: 'Remove from the project' }).click();
  await expect(page.getByRole('heading', { name: 'Drop a folder of images here' })).toBeVisible();
});

test('a real data set is imported with its masks', async ({ app }) => {
  test.skip(!existsSync(nuclei), `The images of ${nuclei} are not here.`);
  cpSync(nuclei, join(app.homeDir, 'nuclei'), { recursive: true });
  const page = await newProject(app);
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await chooseFolder(page, 'nuclei');
  await expect(page.getByText('664 images from 1 folder')).toBeVisible({ timeout: 60_000 });
  await tab(page, 'Labels from files').click();
  await page.getByRole('button', { name: 'Look at them' }).click();
  await expect(page.getByText('664 of 664 images have a mask here.')).toBeVisible({
    timeout: 60_000,
  });
  await expect(page.getByLabel('Name of class 1')).toHaveValue('nucleus');
  await page.getByRole('button', { name: 'Use 664 masks' }).click();
  await expect(page.getByText('664 labelled images')).toBeVisible({ timeout: 60_000 });
});

/** The colors that a mask is painted in. */
function colorsIn(canvas: ReturnType<Page['locator']>): Promise<string[]> {
  return canvas.evaluate((element) => {
    if (!(element instanceof HTMLCanvasElement)) return [];
    const { width, height } = element;
    const data = element.getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
    const colors = new Set<string>();
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] !== 0) colors.add([...data.slice(i, i + 4)].join(','));
    }
    return [...colors];
  });
}
