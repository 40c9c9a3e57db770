import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startJob } from '../../src-main/jobs/runner.ts';
import { createProject } from '../../src-main/project/project.ts';
import { runProbe } from '../../src-main/graph/device-process.ts';
import { buildApp } from './build-app.ts';

const demo = fileURLToPath(new URL('../../resources/demo/images/', import.meta.url));
let folder = '';
let out: URL;

beforeAll(async () => {
  out = await buildApp();
  folder = mkdtempSync(join(tmpdir(), 'decon-build-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(out, { recursive: true, force: true });
});

test('preload needs nothing but electron', () => {
  const code = readFileSync(new URL('preload/preload.cjs', out), 'utf8');
  expect([...code.matchAll(/require\(["']([^"']+)["']\)/g)].map(([, name]) => name)).toEqual([
    'electron',
  ]);
  expect(code).toContain('deconBridge');
});

test('only main imports electron', () => {
  const main = new URL('main/', out);
  const importing = readdirSync(main).filter((name) =>
    /from\s?["']electron["']/.test(readFileSync(new URL(name, main), 'utf8')),
  );
  expect(importing).toEqual(['index.js']);
});

test('the built job runs as a process under plain Node', async () => {
  const images = join(folder, 'images');
  mkdirSync(images);
  for (const name of readdirSync(demo).slice(0, 3)) cpSync(join(demo, name), join(images, name));
  const project = createProject(join(folder, 'a.decon'), 'a');
  const job = project.jobs.create({ type: 'import', options: { imagesPath: images } });
  const running = startJob(project, job.id, { entry: new URL('main/job.js', out) });
  expect(await running.outcome).toMatchObject({ status: 'done', error: null });
  expect(project.images.count({ status: 'usable' })).toBe(3);
  project.dispose();
});

test('the built trial of a device runs, too', async () => {
  const report = await runProbe('cpu', undefined, new URL('main/device-probe.js', out));
  expect(report).toMatchObject({ type: 'works', name: 'cpu' });
});
