import { join } from 'node:path';
import { expect, type Page, type Request } from '@playwright/test';
import { copyFinishedProject } from './finished-project.ts';
import type { Home } from './home.ts';

/** A state of the window worth looking at: how to get there from anywhere in a finished project. */
export interface Screen {
  readonly name: string;
  readonly open: (page: Page) => Promise<void>;
}

/** Every screen of a finished project. */
export const screens: readonly Screen[] = [
  { name: 'home', open: (page) => goTo(page, '#/home', 'DeCon Studio') },
  { name: 'images-overview', open: (page) => goTo(page, '#/images', 'Images') },
  { name: 'images-all', open: (page) => goTo(page, '#/images?tab=all', 'Images') },
  {
    name: 'images-one',
    open: async (page) => {
      await goTo(page, '#/images?tab=all', 'Images');
      await page
        .getByRole('gridcell', { name: /\.(png|jpg)/ })
        .first()
        .dblclick();
      await expect(page).toHaveURL(/#\/images\/[0-9a-f-]+/);
    },
  },
  { name: 'images-labels', open: (page) => goTo(page, '#/images?tab=labels', 'Images') },
  { name: 'images-groups', open: (page) => goTo(page, '#/images?tab=groups', 'Images') },
  { name: 'images-problems', open: (page) => goTo(page, '#/images?tab=problems', 'Images') },
  { name: 'pretrain-new', open: (page) => goTo(page, '#/pretrain', 'Pre-train') },
  {
    name: 'pretrain-options',
    open: async (page) => {
      await goTo(page, '#/pretrain', 'Pre-train');
      await page.getByRole('button', { name: 'All options' }).click();
    },
  },
  {
    name: 'pretrain-run',
    open: async (page) => {
      await goTo(page, '#/pretrain', 'Pre-train');
      await page.getByRole('table').getByRole('link').first().click();
      await expect(page).toHaveURL(/#\/pretrain\/[0-9a-f-]+/);
    },
  },
  { name: 'label', open: (page) => goTo(page, '#/label', 'Label') },
  { name: 'study-overview', open: (page) => goTo(page, '#/study', 'Study') },
  { name: 'study-wizard', open: (page) => goTo(page, '#/study/compare', /Compare/) },
  {
    name: 'study-results',
    open: async (page) => {
      await goTo(page, '#/study', 'Study');
      await page
        .getByRole('link', { name: /few labels|study-/ })
        .first()
        .click();
      await expect(page).toHaveURL(/#\/study\/[0-9a-f-]+/);
    },
  },
  ...(['scores', 'confusion', 'images', 'training'] as const).map((tab) => ({
    name: `model-${tab}`,
    open: (page: Page) => openModel(page, tab),
  })),
  { name: 'use-look', open: (page) => goTo(page, '#/use', 'Use') },
  { name: 'use-image', open: predictOne },
  { name: 'use-batch', open: (page) => goTo(page, '#/use?tab=batch', 'Use') },
  { name: 'use-export', open: (page) => goTo(page, '#/use?tab=export', 'Use') },
  {
    name: 'commands',
    open: async (page) => {
      await goTo(page, '#/images', 'Images');
      await page.keyboard.press('Control+k');
      await expect(page.getByRole('combobox', { name: 'Search commands' })).toBeFocused();
    },
  },
];

/** Puts a finished project into the home folder. @returns the words that open it */
export async function withFinishedProject(home: Home): Promise<string[]> {
  const project = join(home.projectDir, 'Nuclei.decon');
  await copyFinishedProject(project);
  return ['--project', project];
}

/** Pictures on their way, by page. */
const pending = new WeakMap<Page, Set<Request>>();

/** Follows the pictures that a page asks for, so that `settle` can wait for them. */
export function watchPictures(page: Page): void {
  const requests = new Set<Request>();
  pending.set(page, requests);
  page.on('request', (request) => {
    if (/\/image\/|^image:/.test(request.url())) requests.add(request);
  });
  page.on('requestfinished', (request) => requests.delete(request));
  page.on('requestfailed', (request) => requests.delete(request));
}

/** Waits until nothing is loading and no picture is missing. The live stream never ends by itself. */
export async function settle(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('main [aria-busy="true"]') === null);
  await expect.poll(() => pending.get(page)?.size ?? 0, { intervals: [200, 200, 500] }).toBe(0);
  await page.waitForFunction(() =>
    [...document.images].every((image) => image.complete || image.loading === 'lazy'),
  );
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}

async function goTo(page: Page, hash: string, heading: string | RegExp): Promise<void> {
  // A dialog of the screen before would lie over the next.
  for (let i = 0; i < 3 && (await page.locator('dialog[open]').count()) > 0; i++) {
    await page.keyboard.press('Escape');
  }
  await page.evaluate((wanted) => (location.hash = wanted), '#/home');
  await page.evaluate((wanted) => (location.hash = wanted), hash);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  await settle(page);
}

async function openModel(page: Page, tab: string): Promise<void> {
  await goTo(page, '#/study', 'Study');
  await page.getByRole('table').getByRole('link').first().click();
  await expect(page).toHaveURL(/view=model/);
  await page.getByRole('tab', { name: new RegExp(`^${tab}`, 'i') }).click();
}

/** Segments the first held-out image of the project. */
async function predictOne(page: Page): Promise<void> {
  await goTo(page, '#/use', 'Use');
  await page.getByRole('button', { name: 'Images of the project' }).click();
  await page.getByRole('menuitem', { name: /test/i }).click();
  const images = page.getByRole('region', { name: 'Images to segment' }).getByRole('listitem');
  await images.first().getByRole('button').click();
  await images.first().getByRole('img', { name: 'Predicted' }).waitFor({ timeout: 120_000 });
}
