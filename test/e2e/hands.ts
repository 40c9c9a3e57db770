import type { Locator, Page } from '@playwright/test';

/** In the picker of the page: walks down the folders and chooses the last. */
export async function chooseFolder(page: Page, ...path: readonly string[]): Promise<void> {
  const dialog = page.getByRole('dialog');
  for (const name of path) await dialog.getByRole('button', { name, exact: true }).click();
  await dialog.getByRole('button', { name: `Choose "${path.at(-1) ?? ''}"` }).click();
}

/** By keyboard: the boxes of the chips are drawn by their labels. */
export async function toggle(box: Locator): Promise<void> {
  await box.focus();
  await box.press('Space');
}
