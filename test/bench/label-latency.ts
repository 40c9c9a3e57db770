/**
 * How long painting takes on a 10,000 x 10,000 px image: from the pointer event to the painted frame.
 *
 *   node test/bench/label-latency.ts [--assets FOLDER] [--side 10000] [--moves 240]
 *
 * Imports one large TIFF into a new project, opens it in headless Chromium against `decon serve` and
 * paints with brushes of 10 to 200 px at several zooms. `drawn`: until the canvases of the frame are
 * drawn; `frame`: until the next frame begins, when the painted one was handed over for display.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from '@playwright/test';
import sharp from 'sharp';
import { createHome } from '../e2e/home.ts';
import { findChromium } from '../e2e/hosts.ts';
import { startServe } from '../e2e/serve-process.ts';

const root = resolve(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    assets: { type: 'string', default: join(root, 'out/renderer') },
    side: { type: 'string', default: '10000' },
    moves: { type: 'string', default: '240' },
    /** A project with one image and no classes, instead of making one. */
    project: { type: 'string' },
  },
});
const side = Number(values.side);
const moves = Number(values.moves);

interface Sample {
  readonly drawn: number;
  readonly frame: number;
}

declare global {
  interface Window {
    latencies: Sample[];
  }
}

const folder = mkdtempSync(join(tmpdir(), 'decon-label-'));
const home = await createHome();
try {
  const project = values.project ?? (await makeProject());
  const server = await startServe(home.env, { assets: values.assets, arguments: [project] });
  const executablePath = findChromium();
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ['--no-sandbox'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(server.link);
    await page.waitForURL((url) => url.search === ''); // the token is gone from the address
    await page.evaluate(() => (location.hash = '#/label'));
    await page.getByRole('textbox', { name: 'The thing to find' }).fill('object');
    await page.getByRole('button', { name: 'Create both classes' }).click();
    await page.getByRole('application').waitFor();
    await page.waitForTimeout(3000); // the first tiles of the picture
    await measure(page);
  } finally {
    await browser.close();
    await server.stop();
  }
} finally {
  await home.dispose();
  rmSync(folder, { recursive: true, force: true });
}

async function makeProject(): Promise<string> {
  const images = join(folder, 'images');
  mkdirSync(images);
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  await sharp({ create: { width: side, height: side, channels: 3, noise, background: '#777' } })
    .tiff({ compression: 'deflate', tile: true })
    .toFile(join(images, 'large.tif'));
  const project = join(home.projectDir, 'large.decon');
  const decon = (...words: readonly string[]): void => {
    const main = join(root, 'src-main/cli/main.ts');
    execFileSync(process.execPath, [main, ...words], { env: home.env });
  };
  decon('init', project);
  decon('import', images, '--project', project);
  return project;
}

async function measure(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.latencies = [];
    // After the editor's own listener, so that this frame callback runs after the drawing.
    addEventListener('pointermove', (event) => {
      if (event.buttons === 0) return;
      const began = event.timeStamp;
      requestAnimationFrame(() => {
        const drawn = performance.now() - began;
        requestAnimationFrame(() => {
          window.latencies.push({ drawn, frame: performance.now() - began });
        });
      });
    });
  });
  const all: Sample[] = [];
  console.log(
    'zoom    brush   events   drawn p50   drawn p95   frame p50   frame p95   worst  (ms)',
  );
  for (const zoom of ['fit', '25 %', '100 %', '400 %']) {
    await zoomTo(page, zoom);
    for (const brushPx of [10, 50, 200]) {
      const samples = await paint(page, brushPx);
      all.push(...samples);
      report(zoom, `${brushPx} px`, samples);
    }
  }
  report('all', '', all);
  console.log(`Memory of the page's process: ${await pageMemory(page)} MB`);
}

/** Resident memory of the process that shows the page; Linux only. */
async function pageMemory(page: Page): Promise<string> {
  const browser = page.context().browser();
  if (browser === null) return '?';
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const largest = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1])
    .reduce((most, kilobytes) => Math.max(most, Number(kilobytes ?? 0)), 0);
  return (largest / 1024).toFixed(0);
}

async function zoomTo(page: Page, zoom: string): Promise<void> {
  await page.keyboard.press('z'); // 100 %
  if (zoom === 'fit') await page.keyboard.press('0');
  const presses = { '25 %': ['-', 3], '400 %': ['+', 3] }[zoom];
  if (presses !== undefined) {
    const [key, times] = presses;
    for (let i = 0; i < Number(times); i++) await page.keyboard.press(String(key));
  }
  await page.waitForTimeout(4000); // tiles of the picture and of the labels
}

async function paint(page: Page, brushPx: number): Promise<readonly Sample[]> {
  await page
    .getByRole('slider', { name: 'Size' })
    .fill(String(Math.round(Math.log10(brushPx) * 100)));
  await page.evaluate(() => (window.latencies = []));
  const box = await page.getByRole('application').boundingBox();
  if (box === null) throw new Error('The canvas is not shown');
  const center = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const at = (i: number) => ({
    x: center.x + Math.cos(i / 9) * box.width * 0.35,
    y: center.y + Math.sin(i / 7) * box.height * 0.35,
  });
  await page.mouse.move(at(0).x, at(0).y);
  await page.mouse.down();
  for (let i = 1; i <= moves; i++) {
    const { x, y } = at(i);
    await page.mouse.move(x, y);
  }
  await page.mouse.up();
  await page.waitForTimeout(500);
  return page.evaluate(() => window.latencies);
}

function report(zoom: string, brush: string, samples: readonly Sample[]): void {
  const of = (name: keyof Sample, share: number): string => {
    const sorted = samples.map((sample) => sample[name]).sort((a, b) => a - b);
    const at = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
    return (sorted[at] ?? NaN).toFixed(1).padStart(9);
  };
  const columns = [of('drawn', 0.5), of('drawn', 0.95), of('frame', 0.5), of('frame', 0.95)];
  console.log(
    `${zoom.padEnd(7)} ${brush.padEnd(7)} ${String(samples.length).padStart(6)} `,
    [...columns, of('frame', 1)].join('   '),
  );
}
