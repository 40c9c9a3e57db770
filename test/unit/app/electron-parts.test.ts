import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { closingOf, closingQuestion } from '../../../src-main/app/electron/closing.ts';
import { openDialogOptions } from '../../../src-main/app/electron/dialogs.ts';
import { projectAt, projectOfArguments } from '../../../src-main/app/electron/launch.ts';
import { menuTemplate } from '../../../src-main/app/electron/menu.ts';
import { minimumSize, windowPlace } from '../../../src-main/app/electron/window-state.ts';
import { HostCommands } from '../../../src-main/app/host-commands.ts';
import { createProject } from '../../../src-main/project/project.ts';

const screen = { x: 0, y: 0, width: 1920, height: 1080 };
const stored = { x: 100, y: 50, width: 1200, height: 800, isMaximized: false };

test('the window opens where it was, unless that screen is gone or too small', () => {
  expect(windowPlace(stored, [screen])).toEqual({ x: 100, y: 50, width: 1200, height: 800 });
  const elsewhere = { ...stored, x: 2500 };
  expect(windowPlace(elsewhere, [screen])).toEqual({ width: 1200, height: 800 });
  const second = { ...screen, x: 1920 };
  expect(windowPlace(elsewhere, [screen, second])).toMatchObject({ x: 2500 });
  const small = windowPlace({ ...stored, width: 5000, height: 10 }, [screen]);
  expect(small).toMatchObject({ width: 1920, height: minimumSize.height });
  expect(windowPlace(null, [screen])).not.toHaveProperty('x');
});

test('a project is found in a command line, by its folder or its database', () => {
  const folder = mkdtempSync(join(tmpdir(), 'decon-launch-'));
  const dir = join(folder, 'cells.decon');
  createProject(dir).dispose();
  const packed = { isPackaged: true, folder };
  expect(projectOfArguments(['app', '--no-sandbox', 'cells.decon'], packed)).toBe(dir);
  expect(projectOfArguments(['app', join(dir, 'project.sqlite')], packed)).toBe(dir);
  expect(projectOfArguments(['app', 'other.decon'], packed)).toBeUndefined();
  const unpacked = { isPackaged: false, folder: '/' };
  expect(projectOfArguments(['electron', folder, dir], unpacked)).toBe(dir);
  expect(projectAt(folder)).toBeUndefined();
  rmSync(folder, { recursive: true, force: true });
});

test('closing asks by the titles of the jobs; anything but a choice stays', () => {
  expect(closingQuestion(['Pre-training a']).message).toBe('“Pre-training a” is still running');
  expect(closingQuestion(['a', 'b']).message).toBe('2 jobs are still running');
  expect([0, 1, 2, 3, -1].map(closingOf)).toEqual([
    'pause-and-quit',
    'background',
    'stay',
    'stay',
    'stay',
  ]);
});

test('dialogs choose folders or files as they are asked', () => {
  const folder = openDialogOptions({ purpose: 'images', kind: 'folder' });
  expect(folder.properties).toContain('openDirectory');
  const model = openDialogOptions({ purpose: 'model', kind: 'files' });
  expect(model.properties).toEqual(['openFile']);
  expect(model.filters?.[0]?.extensions).toEqual(['onnx']);
  const input = openDialogOptions({ purpose: 'input', kind: 'files' });
  expect(input.properties).toContain('multiSelections');
});

test('the menu gives commands of the page; tools of the developer only unpackaged', async () => {
  const commands = new HostCommands();
  const received: string[] = [];
  const reading = (async () => {
    for await (const command of commands.watch()) {
      received.push(command);
      if (command === 'go.label') break;
    }
  })();
  await Promise.resolve();
  const template = (isPackaged: boolean, platform: NodeJS.Platform) =>
    menuTemplate({
      isPackaged,
      platform,
      send: (id) => commands.send(id),
      openOutside: () => undefined,
    });
  const text = (isPackaged: boolean) => JSON.stringify(template(isPackaged, 'linux'));
  expect(text(true)).not.toContain('toggleDevTools');
  expect(text(false)).toContain('toggleDevTools');
  expect(template(true, 'darwin')[0]).toEqual({ role: 'appMenu' });
  for (const id of ['project.open', 'go.label']) commands.send(id);
  await reading;
  expect(received).toEqual(['project.open', 'go.label']);
});
