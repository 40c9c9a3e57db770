import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import * as ort from 'onnxruntime-node';
import { expect, test, type App } from './fixtures.ts';
import { chooseFolder, toggle } from './hands.ts';
import { planTinyRun } from './tiny-run.ts';

const root = join(import.meta.dirname, '../..');
const shared = process.env['DECON_SHARED'] ?? join(root, '../shared');
const real = join(shared, 'data/nuclei');
/** The whole data set where it is, else the part of it that comes with the program. */
const source = existsSync(real) ? real : join(root, 'resources/demo');
const imagesKept = 60;

test.describe.configure({ timeout: 400_000 });

test('from an empty disk to an exported model', async ({ app, openBrowser }) => {
  test.skip(app.origin.startsWith('app:'), 'Folders are chosen in dialogs of the system there.');
  copyImages(join(app.homeDir, 'nuclei'));

  await test.step('first run with the demo images', async () => {
    const { page } = app;
    await page.getByRole('button', { name: 'Try it with the demo images' }).click();
    await expect(page.getByText('170 images from 1 folder')).toBeVisible({ timeout: 60_000 });
  });

  await test.step('a folder with masks is imported', () => importFolder(app));

  const page =
    await test.step('pre-training is paused, the browser closed and opened', async () => {
      await pretrain(app.page);
      await app.page.close();
      const page = await (await (await openBrowser()).newContext()).newPage();
      await page.goto(await app.newLink());
      await page.getByRole('link', { name: 'Pre-train' }).click();
      await page.getByRole('table').getByRole('link', { name: 'tiny' }).click();
      await page.getByRole('button', { name: 'Continue, nothing changes' }).click();
      await expect(page.getByText(/Continuing after step/).first()).toBeVisible({
        timeout: 120_000,
      });
      await page.getByRole('button', { name: 'Stop and keep' }).click();
      const main = page.getByRole('main');
      await expect(main.getByText('Done', { exact: true })).toBeVisible({ timeout: 60_000 });
      return page;
    });

  await test.step('what is painted is there after a reload', () => paint(page));
  await test.step('a small study ends in a sentence', () => study(page));
  await test.step('a cell of the confusion matrix opens its images', () => confusion(page));
  await test.step('a folder is segmented', () => segment(app, page));
  await test.step('the exported model runs in onnxruntime', () => exportModel(app, page));
  await page.context().close();
});

/** Images with their masks, without the files that say how to divide and name them. */
function copyImages(target: string): void {
  for (const folder of ['images', 'masks']) mkdirSync(join(target, folder), { recursive: true });
  for (const name of readdirSync(join(source, 'images')).sort().slice(0, imagesKept)) {
    cpSync(join(source, 'images', name), join(target, 'images', name));
    const mask = `${name.slice(0, name.lastIndexOf('.'))}.png`;
    cpSync(join(source, 'masks', mask), join(target, 'masks', mask));
  }
  mkdirSync(join(target, '../new', 'day 1'), { recursive: true });
  for (const name of readdirSync(join(target, 'images')).slice(0, 2)) {
    cpSync(join(target, 'images', name), join(target, '../new', 'day 1', name));
  }
  mkdirSync(join(target, '../results'));
}

async function importFolder({ page }: App): Promise<void> {
  await page.getByRole('link', { name: /Nuclei demo/ }).click();
  await page.getByRole('button', { name: 'New project' }).click();
  await page.getByLabel('Name').fill('Cells');
  await page.getByRole('button', { name: 'Create project' }).click();
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  await chooseFolder(page, 'nuclei', 'images');
  await expect(page.getByText(`${imagesKept} images from 1 folder`)).toBeVisible();
  await page.getByRole('tab', { name: 'Labels from files' }).click();
  await page.getByRole('button', { name: 'Look at them' }).click();
  await expect(page.getByRole('heading', { name: /Does this look right/ })).toBeVisible();
  await page.getByLabel('Name of class 0').fill('background');
  await page.getByLabel('Name of class 1').fill('nucleus');
  await page.getByRole('button', { name: `Use ${imagesKept} masks` }).click();
  await expect(page.getByRole('rowheader', { name: 'nucleus' })).toBeVisible();
}

async function pretrain(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Pre-train' }).click();
  await planTinyRun(page);
  await page.getByRole('button', { name: 'Start learning' }).click();
  const curve = page.getByRole('slider', { name: 'Read values: Loss over the steps' });
  await expect(curve).toBeEnabled({ timeout: 120_000 });
  await page.getByRole('button', { name: 'Pause' }).click();
  const main = page.getByRole('main');
  await expect(main.getByText('Paused', { exact: true })).toBeVisible({ timeout: 60_000 });
}

async function paint(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Label' }).click();
  const canvas = page.getByRole('application');
  await canvas.waitFor();
  await page.getByRole('button', { name: 'Go on labelling' }).click();
  const before = await painted(page);
  await canvas.focus();
  await page.keyboard.press('b');
  await page.keyboard.press('2');
  const box = await canvas.boundingBox();
  if (box === null) throw new Error('The canvas is not shown');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x - 80, y - 40);
  await page.mouse.down();
  await page.mouse.move(x + 80, y + 60, { steps: 10 });
  await page.mouse.up();
  await expect.poll(() => painted(page)).not.toBe(before);
  await expect(page.getByText('All changes stored')).toBeVisible();
  const after = await painted(page);
  await page.reload();
  await canvas.waitFor();
  await expect.poll(() => painted(page)).toBe(after);
  await page.getByRole('button', { name: /Mark as done/ }).click();
}

/** The layer of labels as a number. */
function painted(page: Page): Promise<number> {
  return page.evaluate(() => {
    const layer = document.querySelector<HTMLCanvasElement>('canvas[data-layer="labels"]');
    const data = layer?.getContext('2d')?.getImageData(0, 0, layer.width, layer.height).data;
    let sum = 0;
    for (let i = 0; i < (data?.length ?? 0); i += 4) sum += (data?.[i] ?? 0) + (data?.[i + 2] ?? 0);
    return sum;
  });
}

async function study(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Study' }).click();
  await page.getByRole('button', { name: 'Compare starts' }).first().click();
  const shares = page.getByRole('group', { name: 'Labelled share' });
  for (const name of [/^5\s%/, /^10\s%/, /^25\s%/]) {
    await toggle(shares.getByRole('checkbox', { name }));
  }
  const starts = page.getByRole('group', { name: 'Starts' });
  await toggle(starts.getByRole('checkbox', { name: /^Pre-trained encoder Takes/ }));
  await toggle(page.getByRole('radio', { name: '1', exact: true }));
  await toggle(page.getByRole('radio', { name: 'Steps', exact: true }));
  await page.getByLabel('Steps of each training').fill('10');
  await page.getByText('For experts', { exact: true }).click();
  await page.getByLabel('Crops in a step').fill('4');
  await page.getByLabel('Side of a crop (px)').fill('64');
  await page.getByLabel('Scale of the images').fill('0.5');
  await page.getByLabel('Name of the study').fill('small');
  const plan = page.getByRole('complementary', { name: 'The plan' });
  await plan.getByRole('button', { name: 'Compare starts' }).click();
  await expect(page.getByRole('region', { name: 'Verdict' }).getByText(/^With 100/)).toContainText(
    'mean IoU changed by',
    { timeout: 300_000 },
  );
}

async function confusion(page: Page): Promise<void> {
  await page
    .getByRole('link', { name: /repetition 1: Done/ })
    .first()
    .click();
  await page.getByRole('tab', { name: 'Confusion' }).click();
  await page
    .getByRole('button', { name: /taken for/ })
    .first()
    .click();
  const images = page.getByRole('complementary', { name: 'Images' });
  await expect(images.getByText('most pixels first')).toBeVisible();
  await expect(images.getByRole('listitem').first()).toContainText('pixels');
}

async function segment({ homeDir }: App, page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Use' }).click();
  await page.getByRole('tab', { name: 'Segment into a folder' }).click();
  await page.getByRole('button', { name: 'Choose a folder…' }).first().click();
  await chooseFolder(page, 'new');
  await page.getByRole('button', { name: 'Choose a folder…' }).last().click();
  await chooseFolder(page, 'results');
  await page.getByRole('button', { name: 'Segment 2 images' }).click();
  await expect(page.getByText(/Segmented 2 images in/)).toBeVisible({ timeout: 180_000 });
  expect(readdirSync(join(homeDir, 'results/masks/day 1'))).toHaveLength(2);
}

async function exportModel({ homeDir }: App, page: Page): Promise<void> {
  await page.getByRole('tab', { name: 'Export the model' }).click();
  await page.getByRole('button', { name: 'Other folder…' }).click();
  await chooseFolder(page, 'results');
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  await expect(page.getByText(/largest difference of a\s+probability is \d/)).toBeVisible({
    timeout: 180_000,
  });
  const folder = join(homeDir, 'results');
  const file = readdirSync(folder).find((name) => name.endsWith('.onnx')) ?? '';
  const session = await ort.InferenceSession.create(readFileSync(join(folder, file)));
  const [input] = session.inputMetadata;
  const shape = input?.isTensor === true ? input.shape.map(Number) : [];
  const values = new Uint8Array(shape.reduce((product, n) => product * n, 1)).fill(40);
  const { probabilities } = await session.run({ image: new ort.Tensor('uint8', values, shape) });
  expect(probabilities?.dims).toEqual([...shape.slice(0, 3), 2]);
}
