/**
 * Opens a project of 100,000 images in the browser and scrolls through it: how long until the grid
 * shows, how long frames take, how much memory main needs. Every image is a file of its own that was
 * never looked at before, so that thumbnails are made while scrolling. Exits 1 when a limit is
 * passed. Run: `node test/bench/grid-100k.ts [images] [folder of the built window]`.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium, type Page } from '@playwright/test';
import type { NewImage } from '../../src-main/project/images.ts';
import { createProject } from '../../src-main/project/project.ts';
import { createHome, type Home } from '../e2e/home.ts';
import { findChromium } from '../e2e/hosts.ts';
import { startServe } from '../e2e/serve-process.ts';
import { sample } from '../unit/datasets/sample-files.ts';

const images = Number(process.argv[2] ?? 100_000);
const assets = process.argv[3] ?? fileURLToPath(new URL('../../out/renderer', import.meta.url));
const limits = { shownMs: 1500, p99Ms: 20, mainBytes: 400e6 };
const widthPx = 256;
const heightPx = 192;

/** Links to a few real files: 100,000 paths without the disk space. */
async function generate(home: Home): Promise<void> {
  const folder = join(home.dir, 'pictures');
  mkdirSync(folder);
  const originals: string[] = [];
  for (let i = 0; i < 48; i++) {
    const path = join(folder, `original-${i}.jpg`);
    writeFileSync(path, await sample(widthPx, heightPx, i).jpeg().toBuffer());
    originals.push(path);
  }
  const project = createProject(join(home.projectDir, 'Many.decon'), 'Many');
  const { id: folderId } = project.images.addFolder(folder);
  const facts = {
    format: 'jpeg',
    storedWidthPx: widthPx,
    storedHeightPx: heightPx,
    orientation: 1,
    space: 'srgb',
    channels: 3,
    bitDepth: 8,
    hasAlpha: false,
    isTransparent: false,
    pages: 1,
    isProgressive: false,
    reading: 'color8',
    ranges: [],
    intensity: { low: 0, mean: 128, high: 255 },
  };
  const all = Array.from({ length: images }, (_, i): NewImage => {
    const relPath = `part-${String(i % 100).padStart(3, '0')}/image-${String(i).padStart(6, '0')}.jpg`;
    const original = originals[i % originals.length] ?? '';
    if (i < 100) mkdirSync(join(folder, relPath.slice(0, 8)));
    linkSync(original, join(folder, relPath));
    const sha256 = randomBytes(32).toString('hex');
    const bytes = statSync(original).size;
    return {
      ...{ folderId, relPath, bytes, modifiedMs: i, sha256, format: 'jpeg', widthPx, heightPx },
      ...{ channels: 3, bitDepth: 8, pages: 1, facts, groupKey: null, duplicateOf: null },
      split: 'unlabelled',
      status: 'usable',
    };
  });
  project.images.upsertMany(all);
  project.dispose();
}

/** Opens the project as its button does, and waits until every picture in sight is there. */
async function open(page: Page): Promise<number> {
  const button = page.getByRole('button', { name: /Many/ }).first();
  await button.waitFor();
  const started = performance.now();
  await button.click();
  await page.getByRole('tab', { name: 'All images' }).click();
  await page.waitForFunction(() => {
    const pictures = [...document.querySelectorAll<HTMLImageElement>('[role=gridcell] img')];
    return pictures.length >= 12 && pictures.every((picture) => picture.complete);
  });
  return performance.now() - started;
}

interface Frames {
  readonly frames: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  readonly over20ms: number;
}

/** Times between frames while `work` scrolls. */
async function framesDuring(page: Page, work: () => Promise<void>): Promise<Frames> {
  await page.evaluate(() => {
    const times: number[] = [];
    const isOver = { now: false };
    const note = (time: number): void => {
      times.push(time);
      if (!isOver.now) requestAnimationFrame(note);
    };
    requestAnimationFrame(note);
    Object.assign(window, {
      endFrames: () => {
        isOver.now = true;
        return times;
      },
    });
  });
  await work();
  const times = await page.evaluate<number[]>('endFrames()');
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? time));
  const sorted = gaps.toSorted((a, b) => a - b);
  const at = (share: number): number => round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  return {
    frames: gaps.length,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
    max: at(1),
    over20ms: round(gaps.filter((gap) => gap > 20).length / gaps.length, 4),
  };
}

/** A wheel turned steadily, one step a frame. */
async function wheel(page: Page, stepPx: number, steps: number): Promise<void> {
  for (let i = 0; i < steps; i++) {
    await page.mouse.wheel(0, i % 100 < 80 ? stepPx : -stepPx);
    await page.waitForTimeout(12);
  }
}

/** The thumb of the scroll bar pulled through the whole list and back, with stops. */
async function drag(page: Page, x: number, top: number, heightPx: number): Promise<void> {
  await page.mouse.move(x, top + 8);
  await page.mouse.down();
  for (let i = 0; i <= 300; i++) {
    const share = Math.abs(((i / 100 + 1) % 2) - 1);
    await page.mouse.move(x, top + 8 + share * (heightPx - 16));
    await page.waitForTimeout(i % 75 === 74 ? 400 : 12);
  }
  await page.mouse.up();
}

/** Resident bytes of a process, and the most it ever had. */
function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return { now: kilobytes('VmRSS') * 1024, peak: kilobytes('VmHWM') * 1024 };
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/status`, 'utf8').includes(`PPid:\t${parent}\n`);
      } catch {
        return false; // it just ended
      }
    });
}

function round(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

function report(what: string, figures: object): void {
  console.log(JSON.stringify({ what, ...figures, load: round(loadavg()[0] ?? 0) }));
}

async function main(): Promise<boolean> {
  const home = await createHome();
  const began = performance.now();
  await generate(home);
  report('generated', { images, seconds: round((performance.now() - began) / 1000) });
  const dir = join(home.projectDir, 'Many.decon');
  const state = { recent: [{ dir, name: 'Many', openedAt: 1 }] };
  writeFileSync(join(home.env['DECON_STATE_DIR'] ?? '', 'state.json'), JSON.stringify(state));
  const server = await startServe(home.env, { assets });
  const pid = childrenOf(process.pid)[0] ?? 0;
  const executablePath = findChromium();
  const browser = await chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ['--no-sandbox'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(server.link);
    await page.waitForURL((url) => url.search === '');
    const shownMs = round(await open(page));
    report('shown', { ms: shownMs });
    const box = await page.getByRole('grid').boundingBox();
    if (box === null) throw new Error('The grid has no place');
    await page.mouse.move(box.x + 200, box.y + 200);
    const runs: [string, () => Promise<void>][] = [
      ['still', () => page.waitForTimeout(2000)],
      ['wheel', () => wheel(page, 60, 400)],
      ['wheel, fast', () => wheel(page, 600, 400)],
      ['scroll bar', () => drag(page, box.x + box.width - 5, box.y, box.height)],
      ['wheel again', () => wheel(page, 60, 400)],
    ];
    let isSmooth = true;
    for (const [name, work] of runs) {
      const frames = await framesDuring(page, work);
      isSmooth &&= frames.p99 <= limits.p99Ms;
      report(name, frames);
    }
    const main = memoryOf(pid);
    const [pictures = pid] = childrenOf(pid);
    const inMb = (bytes: number): number => round(bytes / 1e6);
    report('memory, MB', { main: inMb(main.peak), pictures: inMb(memoryOf(pictures).peak) });
    return shownMs <= limits.shownMs && isSmooth && main.peak <= limits.mainBytes;
  } finally {
    await browser.close();
    await server.stop();
    await home.dispose();
  }
}

process.exitCode = (await main()) ? 0 : 1;
