import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createProject } from '../../../src-main/project/project.ts';
import { startServe } from '../../e2e/serve-process.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'decon-cli-serve-'));
  writeFileSync(join(folder, 'index.html'), '<title>window</title>');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const env = () => ({ ...process.env, DECON_STATE_DIR: folder, DECON_LOG_DIR: folder });

test('Enter prints another address, Ctrl-C ends with 0, the project is opened', async () => {
  const dir = join(folder, 'a.decon');
  createProject(dir).dispose();
  const server = await startServe(env(), { assets: folder, arguments: [dir] });
  const other = await server.newLink();
  expect(other).not.toBe(server.link);
  expect(new URL(other).host).toBe(new URL(server.link).host);
  for (const link of [server.link, other]) expect((await fetch(link)).status).toBe(200);
  expect((await fetch(server.link)).status).toBe(401);
  expect(await server.stop()).toBe(0);
});

test('without a built window or a project it says so', async () => {
  const empty = join(folder, 'nothing');
  await expect(startServe(env(), { assets: empty })).rejects.toThrow(/serve\.not-built/);
  const options = { assets: folder, arguments: [join(folder, 'none.decon')] };
  await expect(startServe(env(), options)).rejects.toThrow(/project\.missing/);
});
