import { expect, test } from './fixtures.ts';

test('the window opens and is the same after a restart', async ({ app }) => {
  await expect(app.page).toHaveTitle(/DeCon Studio/);
  await app.kill9();
  await app.restart();
  await expect(app.page).toHaveTitle(/DeCon Studio/);
});
