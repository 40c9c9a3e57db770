import { expect, type Page } from '@playwright/test';

/** Far too small to learn anything, and so long that it never ends by itself. */
const tiny: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Length: { Steps: '100000' },
  Images: { 'Batch (tiles)': '2', 'Crop (px)': '32', 'Tile (px)': '32', Scale: '0.25' },
  Network: { 'Decoder width (channels)': '16' },
  Slots: { 'Slots of the encoder': '8', 'Projection (values)': '8', 'Hidden width': '16' },
  Run: { 'Curve every (steps)': '1' },
};

/** Plans a run called "tiny" by the drawer of all options. */
export async function planTinyRun(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'All options' }).click();
  const drawer = page.getByRole('dialog', { name: 'All options of Quick look' });
  for (const [group, values] of Object.entries(tiny)) {
    await drawer.getByRole('tab', { name: group }).click();
    for (const [label, value] of Object.entries(values)) {
      await drawer.getByRole('spinbutton', { name: label, exact: true }).fill(value);
    }
  }
  await drawer.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByText('Quick look, changed')).toBeVisible();
  await page.getByLabel('Name').fill('tiny');
}
