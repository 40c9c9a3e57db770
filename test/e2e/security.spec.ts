import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { importImages } from '../../src-main/datasets/import.ts';
import { createProject } from '../../src-main/project/project.ts';
import { expect, test } from './fixtures.ts';

const demo = fileURLToPath(new URL('../../resources/demo/images/', import.meta.url));
const markup = '<img src=x onerror="window.broken=1"><b>bold</b>';

test.describe('what a page may reach', () => {
  test('no file, no other origin, no other scheme', async ({ app }) => {
    const { page } = app;
    await expect(page.getByRole('heading', { name: 'DeCon Studio' })).toBeVisible();
    writeFileSync(join(app.homeDir, 'secret.png'), 'secret');
    const reached = await page.evaluate(async (home) => {
      const addresses = [
        '/../package.json',
        '/%2e%2e/package.json',
        '/assets/..%2f..%2fpackage.json',
        `${home}/secret.png`,
        `/image/thumb/${encodeURIComponent(`${home}/secret.png`)}?size=160`,
        `file://${home}/secret.png`,
        'https://example.com/',
        'http://localhost:1/',
        'ftp://127.0.0.1/',
      ];
      const texts = await Promise.all(
        addresses.map(async (address) => {
          try {
            const response = await fetch(address);
            return response.ok ? `${address}: ${await response.text()}` : '';
          } catch {
            return '';
          }
        }),
      );
      return texts.filter((text) => text !== '');
    }, app.homeDir);
    expect(reached).toEqual([]);
    app.forgetFaults(); // the policy refused, as it should
  });

  test('no script of another kind, no frame, no second window, no cookie', async ({ app }) => {
    const { page } = app;
    await expect(page.getByRole('heading', { name: 'DeCon Studio' })).toBeVisible();
    const seen = await page.evaluate(async () => {
      const add = (name: string, attributes: Readonly<Record<string, string>>): void => {
        const element = document.createElement(name);
        for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
        document.body.append(element);
      };
      const inline = document.createElement('script');
      inline.textContent = 'window.broken = 1';
      document.body.append(inline);
      add('script', { src: 'data:text/javascript,window.broken=1' });
      add('img', { src: 'nothing', onerror: 'window.broken=1' });
      add('iframe', { src: '/' });
      await new Promise((resolve) => setTimeout(resolve, 500));
      return {
        isBroken: 'broken' in window,
        isFramed: document.querySelector('iframe')?.contentDocument !== null,
        cookie: document.cookie,
        hasNode: 'process' in window || 'require' in window,
      };
    });
    expect(seen).toEqual({ isBroken: false, isFramed: false, cookie: '', hasNode: false });
    app.forgetFaults();
  });
});

test.describe('names with markup', () => {
  test.use({
    startArguments: async ({ home }, use) => {
      const images = join(home.dir, 'images');
      mkdirSync(images);
      const [first = ''] = readdirSync(demo);
      copyFileSync(join(demo, first), join(images, `${markup.replaceAll('/', '')}.png`));
      const dir = join(home.dir, 'markup.decon');
      const project = createProject(dir, markup);
      await importImages(project, { imagesPath: images });
      project.dispose();
      await use(['--project', dir]);
    },
  });

  test('are shown as text', async ({ app }) => {
    const { page } = app;
    await page.goto(`${app.origin}/#/images`);
    await expect(page.getByText(markup).first()).toBeVisible();
    await expect(page.getByText('onerror="window.broken=1"><b>bold').last()).toBeVisible();
    expect(await page.evaluate(() => 'broken' in window)).toBe(false);
    await expect(page.locator('img[src="x"]')).toHaveCount(0);
  });
});
