import { expect, test } from './fixtures.ts';

test('the window opens and is there again after the program was killed', async ({ app }) => {
  await expect(app.page).toHaveTitle(/DeCon Studio/);
  await app.kill9();
  await app.restart();
  await expect(app.page).toHaveTitle(/DeCon Studio/);
});

test('an address works once; Enter in the terminal prints another', async ({
  app,
  openBrowser,
}) => {
  test.skip(app.origin.startsWith('app:'), 'Only decon serve has addresses.');
  const link = await app.newLink();
  const other = await (await openBrowser()).newContext();
  const page = await other.newPage();
  await page.goto(link);
  await page.waitForURL(`${app.origin}/`);
  await expect(page).toHaveTitle('DeCon Studio');
  await other.clearCookies();
  await page.goto(link);
  await expect(page.getByText('This address was used already')).toBeVisible();
  await other.close();
});
