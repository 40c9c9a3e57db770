import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { copyFinishedProject } from './finished-project.ts';
import type { Home } from './home.ts';

/** The screens that can be shown of a finished project, and what tells that one is there. */
export const screens = [
  { name: 'home', hash: '#/', heading: /DeCon Studio/ },
  { name: 'images', hash: '#/images', heading: 'Images' },
  { name: 'pretrain', hash: '#/pretrain', heading: 'Pre-train' },
  { name: 'label', hash: '#/label', heading: 'Label' },
  { name: 'study', hash: '#/study', heading: 'Study' },
  { name: 'use', hash: '#/use', heading: 'Use' },
] as const;

/** Puts a finished project into the home folder. @returns the words that open it */
export async function withFinishedProject(home: Home): Promise<string[]> {
  const project = join(home.projectDir, 'Nuclei.decon');
  await copyFinishedProject(project);
  return ['--project', project];
}

/** Shows a screen and waits until its data and pictures are there. */
export async function showScreen(page: Page, hash: string, heading: string | RegExp) {
  await page.evaluate((wanted) => (location.hash = wanted), hash);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  await settle(page);
}

/** Waits until nothing is loading and no picture is missing. The live stream never ends by itself. */
export async function settle(page: Page): Promise<void> {
  await page.waitForFunction(() => document.querySelector('main [aria-busy="true"]') === null);
  await page.waitForFunction(() => [...document.images].every((image) => image.complete));
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}
