import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Page } from '@playwright/test';
import * as ort from 'onnxruntime-node';
import { readOnnxMetadata } from '../../src-main/graph/onnx-metadata.ts';
import { runDecon } from './decon.ts';
import { expect, test } from './fixtures.ts';
import { chooseFolder } from './hands.ts';

const root = join(import.meta.dirname, '../..');
const demo = join(root, 'resources/demo');

/** Made once for the tests of this file. */
let prepared: Promise<string> | undefined;

/** A project with two models that learned next to nothing. */
async function prepare(): Promise<string> {
  const project = join(mkdtempSync(join(tmpdir(), 'decon-use-')), 'Nuclei.decon');
  await runDecon(['init', project]);
  await runDecon(['import', demo, '--project', project]);
  const sizes = ['--steps', '6', '--batch', '4', '--size', '64', '--tile', '96', '--scale', '0.5'];
  const network = ['--set', 'decoderChannels=32', '--set', 'evaluations=1'];
  const quick = [...sizes, ...network, '--fraction', '10%', '--set', 'evaluationImages=4'];
  for (const [name, seed] of [
    ['first', '1'],
    ['second', '2'],
  ] as const) {
    await runDecon(['finetune', '--name', name, '--seed', seed, '--project', project, ...quick]);
  }
  return project;
}

test.afterAll(async () => {
  if (prepared !== undefined) rmSync(dirname(await prepared), { recursive: true });
});

test.use({
  startArguments: async ({ home }, use) => {
    const project = join(home.projectDir, 'Nuclei.decon');
    prepared ??= prepare();
    cpSync(await prepared, project, { recursive: true });
    const images = join(home.dir, 'New images');
    mkdirSync(join(images, 'day 2'), { recursive: true });
    const [first = '', second = '', third = ''] = readdirSync(join(demo, 'images'));
    cpSync(join(demo, 'images', first), join(images, first));
    cpSync(join(demo, 'images', second), join(images, second));
    cpSync(join(demo, 'images', third), join(images, 'day 2', first));
    writeFileSync(
      join(images, 'torn.png'),
      readFileSync(join(demo, 'images', first)).subarray(0, 90),
    );
    mkdirSync(join(home.dir, 'Results'));
    await use(['--project', project]);
  },
});
test.describe.configure({ timeout: 300_000 });

/** A fingerprint of what the viewer shows. */
function picture(page: Page): Promise<string> {
  return page.locator('canvas').evaluate((canvas) => {
    if (!(canvas instanceof HTMLCanvasElement)) return '';
    const { width, height } = canvas;
    const data = canvas.getContext('2d')?.getImageData(0, 0, width, height).data;
    let sum = 7;
    for (let i = 0; i < (data?.length ?? 0); i++) sum = (sum * 31 + (data?.[i] ?? 0)) % 1_000_003;
    return String(sum);
  });
}

async function lookAtImages(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Folder…' }).click();
  await chooseFolder(page, 'New images');
  await expect(page.getByText('4 images')).toBeVisible();
  const images = page.getByRole('region', { name: 'Images to segment' }).getByRole('listitem');
  await images.nth(0).getByRole('button').click();
  await expect(images.nth(0).getByRole('img', { name: 'Predicted' })).toBeVisible({
    timeout: 180_000,
  });
  await expect(page.getByText(/\d+\s%/).first()).toBeVisible();
}

test('a folder is looked at: overlay, classes, two models, areas', async ({ app }) => {
  const { page } = app;
  await page.evaluate(() => (location.hash = '#/use'));
  await expect(page.getByText(/Highest score of 2 models on the validation images/)).toBeVisible();
  await lookAtImages(page);

  const withOverlay = await picture(page);
  await page.getByRole('checkbox', { name: 'background' }).check();
  await expect.poll(() => picture(page)).not.toBe(withOverlay);
  await page.getByRole('checkbox', { name: 'background' }).uncheck();
  await page.getByRole('checkbox', { name: 'Uncertainty' }).check();
  await expect.poll(() => picture(page)).not.toBe(withOverlay);
  await page.getByRole('checkbox', { name: 'Uncertainty' }).uncheck();
  await page.keyboard.press('x');
  await expect(page.getByRole('checkbox', { name: 'Prediction', exact: true })).not.toBeChecked();
  await page.keyboard.press('x');

  await page.getByRole('button', { name: 'Compare with…' }).click();
  await page.getByRole('dialog').getByRole('radio').first().check();
  await page.getByRole('button', { name: 'Done' }).click();
  const divider = page.getByRole('slider', { name: 'Divider between the two models' });
  await expect(divider).toHaveAttribute('aria-valuenow', '50');
  await expect(page.getByRole('button', { name: 'Stop', exact: true })).toBeHidden({
    timeout: 180_000,
  });
  await divider.focus();
  await page.keyboard.press('PageUp');
  await page.keyboard.press('ArrowRight');
  await expect(divider).toHaveAttribute('aria-valuenow', '62');
  await page.keyboard.press('Home');
  await expect(divider).toHaveAttribute('aria-valuenow', '0');

  await page.getByLabel('Side of a pixel (µm)').fill('0.5');
  await page.getByRole('button', { name: 'Areas of all images…' }).click();
  const areas = page.getByRole('dialog', { name: /^Areas by/ });
  await expect(areas.getByRole('row', { name: /^Total/ })).toContainText('µm²');
  await areas.getByRole('button', { name: 'Save as CSV…' }).click();
  await chooseFolder(page, 'Results');
  await expect(page.getByText(/Wrote .*areas\.csv/)).toBeVisible();
  const csv = readFileSync(join(app.homeDir, 'Results/areas.csv'), 'utf8');
  expect(csv).toContain('image,width_px,height_px,background_px,nucleus_px,pixel_um');

  await page.reload(); // the choice is main's, the place is in the address
  await expect(page.getByText('4 images')).toBeVisible();
  await expect(divider).toBeVisible();
});

test('a folder is segmented into another, with names seen before', async ({ app }) => {
  const { page } = app;
  await page.evaluate(() => (location.hash = '#/use?tab=batch'));
  await page.getByRole('button', { name: 'Choose a folder…' }).first().click();
  await chooseFolder(page, 'New images');
  const names = page.getByRole('table', { name: 'Names of the results' });
  await expect(names).toContainText('masks/day 2/');
  await page.getByLabel('File names').fill('{name}');
  await expect(page.getByText(/1 image would get the name of another/)).toBeVisible();
  await page.getByLabel('File names').fill('{nickname}');
  await expect(page.getByText('{nickname} is not known in a file name.').first()).toBeVisible();
  await page.getByLabel('File names').fill('{model}/{folder}-{name}');
  await expect(names).toContainText(/masks\/(first|second)\/day 2-/);

  await page.getByRole('button', { name: 'Choose a folder…' }).last().click();
  await chooseFolder(page, 'Results');
  await page.getByRole('button', { name: 'Segment 4 images' }).click();
  await expect(page.getByText(/Segmented 3 images in .*, skipped 1\./)).toBeVisible({
    timeout: 180_000,
  });
  await page.getByText('1 skipped file').click();
  await expect(page.getByRole('row', { name: /^torn\.png .*damaged/ })).toBeVisible();
  const [model = ''] = readdirSync(join(app.homeDir, 'Results/masks'));
  expect(readdirSync(join(app.homeDir, 'Results/masks', model))).toHaveLength(3);
  await expect(page.getByText(/holds 3 of these masks already/)).toBeVisible();
});

test('a model is exported, and runs in onnxruntime', async ({ app }) => {
  const { page } = app;
  await page.evaluate(() => (location.hash = '#/use?tab=export'));
  await expect(page.getByRole('heading', { name: 'Model card' })).toBeVisible();
  await page.getByLabel('License of the weights').fill('CC BY 4.0');
  await expect(page.getByText('CC BY 4.0')).toBeVisible();
  await page.getByRole('button', { name: 'Other folder…' }).click();
  await chooseFolder(page, 'Results');
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  await expect(page.getByText('the largest difference of a probability is')).toBeVisible({
    timeout: 180_000,
  });

  const [file = ''] = readdirSync(join(app.homeDir, 'Results')).filter((name) =>
    name.endsWith('.onnx'),
  );
  const bytes = readFileSync(join(app.homeDir, 'Results', file));
  expect(readOnnxMetadata(bytes)?.['license']).toBe('CC BY 4.0');
  const session = await ort.InferenceSession.create(bytes);
  const tile = new ort.Tensor('uint8', new Uint8Array(96 * 96 * 3).fill(40), [1, 96, 96, 3]);
  const { probabilities } = await session.run({ image: tile });
  expect(probabilities?.dims).toEqual([1, 96, 96, 2]);

  await page.getByRole('radio', { name: /^detectron2 weights/ }).check();
  await expect(page.getByRole('heading', { name: 'How to load it' })).toBeVisible();
  await expect(page.getByText('matching_heuristics')).toBeVisible();
});
