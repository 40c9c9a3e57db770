import { createRouterClient } from '@orpc/server';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRouter } from '../../../src-main/app/router.ts';
import { UserStateFile } from '../../../src-main/app/user-state.ts';
import { Workspace } from '../../../src-main/app/workspace.ts';
import {
  decodeRuns,
  encodeRuns,
  notLabelled,
  runsFromText,
  runsToText,
  uniformRuns,
} from '../../../src-main/contract/label-runs.ts';
import { labelProject } from '../datasets/label-project.ts';
import { TemporaryFolder } from '../datasets/sample-files.ts';

let folder: TemporaryFolder;
let workspace: Workspace;
let ids: readonly string[];

beforeEach(async () => {
  folder = new TemporaryFolder();
  const shapes = Array.from({ length: 20 }, () => ({ widthPx: 300, heightPx: 100 }));
  const { project, imageIds } = labelProject(folder.path, shapes, ['ground', 'cell']);
  ids = imageIds;
  const host = {
    kind: 'browser' as const,
    pick: () => Promise.resolve(null),
    reveal: () => false,
    setTheme: () => undefined,
  };
  workspace = new Workspace(host, new UserStateFile(join(folder.path, 'state')));
  await workspace.use(project);
});

afterEach(async () => {
  await workspace.close();
  folder[Symbol.dispose]();
});

test('an image is opened, painted in pieces, undone, filled, marked as done and listed', async () => {
  const client = createRouterClient(createRouter(workspace));
  const [imageId = '', other = ''] = ids;
  const opened = await client.labels.open({ imageId });
  expect(opened).toMatchObject({
    name: '000.png',
    state: 'none',
    source: 'empty',
    isConfirmed: false,
    position: 0,
    canUndo: false,
    counts: [],
    notLabelledPixels: 30_000,
    proposal: null,
    suggestion: null,
  });
  expect(opened.classes).toMatchObject([
    { value: 0, classIndex: 0, name: 'ground', key: 1, pixels: 0, images: 0, share: 0 },
    { value: 1, classIndex: 1, name: 'cell', key: 2 },
  ]);

  const [tile] = await client.labels.tiles({ imageId, tiles: [{ x: 1, y: 0 }] });
  const pixels = decodeRuns(runsFromText(tile?.runs ?? ''), 44 * 100);
  expect(new Set(pixels)).toEqual(new Set([notLabelled]));
  pixels.fill(1, 0, 50);
  const edit = { tool: 'brush', strokeId: 'stroke-1' };
  const piece = { x: 1, y: 0, runs: runsToText(encodeRuns(pixels)) };
  await client.labels.commit({ imageId, edit: { ...edit, isFinal: false, tiles: [piece] } });
  const position = await client.labels.commit({
    imageId,
    edit: { ...edit, isFinal: true, tiles: [] },
  });
  expect(position).toMatchObject({
    state: 'started',
    position: 1,
    canUndo: true,
    canRedo: false,
    counts: [{ value: 1, pixels: 50 }],
    notLabelledPixels: 29_950,
  });

  const undone = await client.labels.undo({ imageId });
  expect(undone).toMatchObject({ position: 0, canUndo: false, canRedo: true, counts: [] });
  expect(undone.changed).toEqual([
    { x: 1, y: 0, runs: runsToText(uniformRuns(notLabelled, 44 * 100)) },
  ]);
  expect((await client.labels.redo({ imageId })).changed[0]?.runs).toBe(piece.runs);
  const filled = await client.labels.fillRest({ imageId, value: 0 });
  expect(filled.changed).toHaveLength(2);
  expect(filled.notLabelledPixels).toBe(0);
  const done = await client.labels.setState({ imageId, state: 'done' });
  expect(done).toMatchObject({ state: 'done', isConfirmed: true, split: 'train' });

  await client.labels.fillRest({ imageId: other, value: 1 });
  const page = { offset: 0, limit: 10 };
  const labelled = await client.labels.list({ show: 'labelled', ...page });
  expect(labelled).toMatchObject({ total: 1, items: [{ imageId, state: 'done' }] });
  const started = await client.labels.list({ show: 'started', ...page });
  expect(started.items.map((item) => item.imageId)).toEqual([other]);
  const next = await client.labels.list({ show: 'next', search: '00', offset: 0, limit: 3 });
  expect(next.total).toBe(9);
  expect(next.items).toHaveLength(3);
  expect(await client.labels.progress()).toEqual({
    images: 20,
    done: 1,
    started: 1,
    proposals: 0,
    targets: [
      { share: 0.05, images: 1, isReached: true },
      { share: 0.1, images: 2, isReached: false },
      { share: 0.25, images: 5, isReached: false },
    ],
    splits: { train: 1, val: 0, test: 0 },
    suggested: 0,
  });
  expect(await client.labels.next({ except: other })).toMatchObject({ strategy: 'spread' });
  const projectState = await client.projects.current();
  expect(projectState?.counts).toMatchObject({ labelled: 1, classes: 2 });
});

test('classes are added with free keys and colors, and faults arrive as sentences', async () => {
  const client = createRouterClient(createRouter(workspace));
  const added = await client.classes.add({ name: ' wall ' });
  expect(added).toMatchObject({ value: 2, classIndex: 2, name: 'wall', key: 3 });
  const colors = (await client.classes.list()).map(({ color }) => color);
  expect(new Set(colors).size).toBe(3);
  expect(await client.classes.change({ value: 2, key: null, name: 'Wall' })).toMatchObject({
    key: null,
    name: 'Wall',
  });
  await client.labels.fillRest({ imageId: ids[0] ?? '', value: 2 });
  await expect(client.classes.remove({ value: 2 })).rejects.toThrow(/30,000 pixels in 1 image/);
  await expect(client.classes.add({ name: 'CELL' })).rejects.toThrow(/There is a class "CELL"/);
  await client.labels.undo({ imageId: ids[0] ?? '' });
  await client.classes.remove({ value: 2 });
  expect(await client.classes.list()).toHaveLength(2);
  await expect(client.labels.undo({ imageId: ids[1] ?? '' })).rejects.toThrow(/nothing to undo/);
});

test('a fill of many tiles names them and leaves their pixels to be asked for', async () => {
  const { project } = workspace;
  const folderId = project.images.folders()[0]?.id ?? '';
  const row = project.images.list()[0];
  if (row === undefined) throw new Error('no image');
  const [large] = project.images.upsertMany([
    { ...row, id: 'large', folderId, relPath: 'large.png', widthPx: 2500, heightPx: 2500 },
  ]);
  const client = createRouterClient(createRouter(workspace));
  const filled = await client.labels.fillRest({ imageId: large?.id ?? '', value: 1 });
  expect(filled.changed).toHaveLength(100);
  expect(filled.changed[99]).toEqual({ x: 9, y: 9 });
});
