import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from './fixtures.ts';

test('the first start says what this is and opens the demo in one click', async ({ app }) => {
  const { page } = app;
  await expect(page.getByRole('heading', { name: 'DeCon Studio' })).toBeVisible();
  await expect(page.getByText('no image ever leaves it')).toBeVisible();
  await page.getByRole('button', { name: 'Try it with the demo images' }).click();
  await expect(page.getByRole('link', { name: /Nuclei demo/ })).toBeVisible();
  await expect(page).toHaveURL(/#\/images/);
  await expect(page.getByText(/\b17[0-9] images/).first()).toBeVisible({ timeout: 60_000 });
});

test('a new project is named, made and remembered; one that is gone can be forgotten', async ({
  app,
}) => {
  const { page } = app;
  await page.getByRole('button', { name: 'New project' }).click();
  const dialog = page.getByRole('dialog', { name: 'New project' });
  await expect(dialog.getByText('Projects')).toBeVisible();
  await dialog.getByLabel('Name').fill('../evil');
  await dialog.getByRole('button', { name: 'Create project' }).click();
  await expect(page.getByText(/A project cannot be called/)).toBeVisible();
  await dialog.getByLabel('Name').fill('Cells');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('link', { name: /Cells/ })).toBeVisible();
  await page.getByRole('link', { name: /Cells/ }).click();
  const entry = page.getByRole('button', { name: /Cells/ }).first();
  await expect(entry).toBeEnabled();

  await app.kill9();
  await rename(join(app.projectDir, 'Cells.decon'), join(app.projectDir, 'moved.decon'));
  const again = await app.restart();
  await expect(again.getByText('not there')).toBeVisible();
  await expect(again.getByRole('button', { name: /Cells/ }).first()).toBeDisabled();
  await again.getByRole('button', { name: 'Forget Cells' }).click();
  await expect(again.getByText('not there')).toBeHidden();
});

test('an existing project is opened by walking to its folder', async ({ app }) => {
  test.skip(app.origin.startsWith('app:'), 'There, the dialog is the system’s own.');
  const { page } = app;
  await mkdir(join(app.homeDir, 'Empty'));
  await page.getByRole('button', { name: 'New project' }).click();
  await page.getByLabel('Name').fill('Walk');
  await page.getByRole('button', { name: 'Create project' }).click();
  await page.getByRole('link', { name: /Walk/ }).click();
  await page.getByRole('button', { name: 'Open project' }).click();
  const picker = page.getByRole('dialog', { name: 'Choose a project' });
  await picker.getByRole('button', { name: 'Projects' }).click();
  await picker.getByRole('button', { name: 'Walk.decon' }).click();
  await picker.getByRole('button', { name: 'Choose "Walk.decon"' }).click();
  await expect(page).toHaveURL(/#\/images/);
});
