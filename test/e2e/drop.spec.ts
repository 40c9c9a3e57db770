import { expect, test } from './fixtures.ts';

test('a page may hand over dropped images, and nothing else', async ({ app }) => {
  test.skip(app.origin.startsWith('app:'), 'Our own window tells paths.');
  const { page } = app;
  await page.getByRole('button', { name: 'New project' }).click();
  await page.getByLabel('Name').fill('Drops');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('link', { name: /Drops/ })).toBeVisible();
  const statuses = await page.evaluate(async () => {
    const drop = crypto.randomUUID();
    const send = async (name: string): Promise<number> => {
      const query = new URLSearchParams({ drop, name });
      const body = new Blob(['pixels']);
      return (await fetch(`/drop?${query.toString()}`, { method: 'POST', body })).status;
    };
    return [await send('cell 1.png'), await send('program.exe'), await send('../cell.png')];
  });
  expect(statuses).toEqual([200, 422, 422]);
});
