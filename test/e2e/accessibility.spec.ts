import { expectAccessible } from './axe.ts';
import { expect, test } from './fixtures.ts';
import { makingTakesMs } from './finished-project.ts';
import { screens, settle, watchPictures, withFinishedProject } from './screens.ts';

for (const theme of ['light', 'dark'] as const) {
  test.describe(`in the ${theme} theme`, () => {
    test.use({ colorScheme: theme });

    test('the first start has no barrier', async ({ app }) => {
      await expect(app.page.getByRole('heading', { level: 1 })).toBeVisible();
      await expectAccessible(app.page, 'first start');
    });

    test.describe('of a finished project', () => {
      test.setTimeout(makingTakesMs);
      test.use({ startArguments: async ({ home }, use) => use(await withFinishedProject(home)) });

      test('no screen has a barrier', async ({ app }) => {
        watchPictures(app.page);
        for (const { name, open } of screens) {
          await test.step(name, async () => {
            await open(app.page);
            await settle(app.page);
            await expectAccessible(app.page, name);
          });
        }
      });
    });
  });
}
