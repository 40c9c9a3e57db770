import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from '../../../src-main/project/database.ts';
import { backUp } from '../../../src-main/project/backups.ts';
import { migrate, migrations } from '../../../src-main/project/migrate.ts';
import { createProject, openProject } from '../../../src-main/project/project.ts';
import type { NewImage } from '../../../src-main/project/images.ts';

const newest = migrations.at(-1)?.version ?? 0;

let folder = '';
let dir = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'decon-project-'));
  dir = join(folder, 'cells.decon');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function image(folderId: string, relPath: string, change: Partial<NewImage> = {}): NewImage {
  return {
    folderId,
    relPath,
    bytes: 10,
    modifiedMs: 1,
    sha256: relPath,
    format: 'png',
    widthPx: 4,
    heightPx: 3,
    channels: 3,
    bitDepth: 8,
    pages: 1,
    facts: { orientation: 1 },
    groupKey: null,
    split: null,
    status: 'usable',
    duplicateOf: null,
    ...change,
  };
}

test('a new project is named after its folder and can be opened again', () => {
  createProject(dir).dispose();
  const project = openProject(dir);
  expect(project.name).toBe('cells');
  expect(existsSync(join(dir, 'cache'))).toBe(true);
  project.dispose();
});

test('a folder that holds something is never overwritten', () => {
  createProject(dir).dispose();
  expect(() => createProject(dir)).toThrow(/already exists/);
});

test('a missing project and a file that is no database are said in words', () => {
  expect(() => openProject(join(folder, 'none.decon'))).toThrow(/There is no project/);
  createProject(dir).dispose();
  rmSync(join(dir, 'project.sqlite'));
  writeFileSync(join(dir, 'project.sqlite'), 'x'.repeat(5000));
  expect(() => openProject(dir)).toThrow(/not a project database/);
});

test('images keep their id when a path is imported again', () => {
  const project = createProject(dir);
  const { id: folderId } = project.images.addFolder('/data/cells');
  expect(project.images.addFolder('/data/cells').id).toBe(folderId);
  const [first] = project.images.upsertMany([image(folderId, 'a/1.png', { split: 'train' })]);
  const [again] = project.images.upsertMany([image(folderId, 'a/1.png', { bytes: 11 })]);
  expect(again).toEqual({ ...first, bytes: 11, split: null });
  expect(project.images.pathOf(image(folderId, 'a/1.png'))).toBe(join('/data/cells', 'a/1.png'));
  project.dispose();
});

test('images are filtered, paged and ordered by path', () => {
  const project = createProject(dir);
  const { id: folderId } = project.images.addFolder('/data');
  const stored = project.images.upsertMany([
    image(folderId, 'c.png', { split: 'train' }),
    image(folderId, 'a.png', { split: 'train' }),
    image(folderId, 'b.png', { split: 'val', status: 'skipped' }),
  ]);
  const names = (rows: readonly { relPath: string }[]) => rows.map((row) => row.relPath);
  expect(names(project.images.list())).toEqual(['a.png', 'b.png', 'c.png']);
  expect(names(project.images.list({ limit: 1, offset: 1 }))).toEqual(['b.png']);
  expect(names(project.images.list({ split: 'train' }))).toEqual(['a.png', 'c.png']);
  expect(project.images.count({ status: 'skipped' })).toBe(1);
  expect(project.images.findByHash('c.png')?.relPath).toBe('c.png');
  const imageId = stored[0]?.id ?? '';
  project.masks.upsertMany([
    {
      imageId,
      path: '/m/c.png',
      format: 'palette',
      widthPx: 4,
      heightPx: 3,
      classPixels: [10, 2],
      ignoredPixels: 0,
      details: {},
    },
  ]);
  expect(names(project.images.list({ hasMask: true }))).toEqual(['c.png']);
  expect(project.masks.list()).toHaveLength(1);
  project.images.removeMany([imageId]);
  expect(project.masks.get(imageId)).toBeUndefined();
  project.dispose();
});

test('a batch of images is stored whole or not at all', () => {
  const project = createProject(dir);
  const { id: folderId } = project.images.addFolder('/data');
  expect(() =>
    project.images.upsertMany([image(folderId, 'a.png'), image('no such folder', 'b.png')]),
  ).toThrow(/FOREIGN KEY/);
  expect(project.images.count()).toBe(0);
  project.dispose();
});

test('10,000 images are stored and listed fast', () => {
  const project = createProject(dir);
  const { id: folderId } = project.images.addFolder('/data');
  const many = Array.from({ length: 10_000 }, (_, i) => image(folderId, `${i}.png`));
  const before = process.cpuUsage();
  project.images.upsertMany(many);
  expect(project.images.list()).toHaveLength(10_000);
  expect(process.cpuUsage(before).user).toBeLessThan(5e6); // microseconds of this process
  project.dispose();
});

test('figures of one step are merged and those that are no numbers left out', () => {
  const project = createProject(dir);
  const run = project.runs.create({ kind: 'pretrain', config: {}, seed: 1, start: 'random' });
  expect(run.name).toBe('pretrain-1');
  project.runMetrics.add(run.id, 1, { loss: 2, bad: Number.NaN });
  project.runMetrics.add(run.id, 1, { rank: 3 });
  project.runMetrics.add(run.id, 2, { loss: 1 });
  expect(project.runMetrics.list(run.id)[0]?.values).toEqual({ loss: 2, rank: 3 });
  project.runMetrics.removeAfter(run.id, 1);
  expect(project.runMetrics.list(run.id)).toHaveLength(1);
  project.dispose();
});

test('a run has a name of its own that can name a file', () => {
  const project = createProject(dir);
  const wanted = { kind: 'finetune', config: {}, seed: 1, start: 'random' } as const;
  expect(project.runs.create({ ...wanted, name: 'Zellen 2.b' }).name).toBe('Zellen 2.b');
  expect(() => project.runs.create({ ...wanted, name: 'Zellen 2.b' })).toThrow(/already/);
  expect(() => project.runs.create({ ...wanted, name: '../x' })).toThrow(/cannot be called/);
  project.dispose();
});

test('a study keeps the state of its cells when cells are added again', () => {
  const project = createProject(dir);
  const study = project.studies.create('compare', { seeds: [1] });
  const key = { fraction: 0.1, start: 'random', seed: 1 } as const;
  project.studies.addCells(study.id, [key]);
  const done = { ...key, studyId: study.id, runId: null, status: 'done', scores: { miou: 0.5 } };
  project.studies.setCell({ ...done, status: 'done' });
  project.studies.addCells(study.id, [key, { ...key, seed: 2 }]);
  expect(project.studies.cells(study.id)).toEqual([
    done,
    { ...done, seed: 2, status: 'queued', scores: null },
  ]);
  project.dispose();
});

test('a setting is checked by the schema of its owner', () => {
  const project = createProject(dir);
  project.settings.set('ignoreIndex', 255);
  expect(project.settings.get('ignoreIndex', v.number())).toBe(255);
  expect(project.settings.get('other', v.number())).toBeUndefined();
  expect(() => project.settings.get('ignoreIndex', v.string())).toThrow();
  project.dispose();
});

test('a job can be asked for something only while it waits or runs', () => {
  const project = createProject(dir);
  const job = project.jobs.create({ type: 'import', options: { folder: '/x' } });
  expect(project.jobs.ask(job.id, 'stop')).toBe(true);
  expect(project.jobs.requestOf(job.id)).toBe('stop');
  project.jobs.update(job.id, { status: 'done', result: { images: 3 } });
  expect(project.jobs.ask(job.id, 'cancel')).toBe(false);
  expect(project.jobs.get(job.id)).toMatchObject({ status: 'done', result: { images: 3 } });
  project.dispose();
});

test('a newer database is refused and left as it is', () => {
  createProject(dir).dispose();
  const db = connect(join(dir, 'project.sqlite'), { create: false });
  db.pragma('user_version = 99990');
  db.close();
  expect(() => openProject(dir)).toThrow(/newer version/);
  expect(readdirSync(join(dir, 'backups'))).toEqual([]);
});

test('a migration backs up first and keeps what was there', () => {
  createProject(dir).dispose();
  const db = connect(join(dir, 'project.sqlite'), { create: false });
  const next = { version: newest + 10, sql: 'ALTER TABLE classes ADD COLUMN note TEXT' };
  db.exec(
    `INSERT INTO classes (class_index, name, color, label_value) VALUES (0, 'cell', '#ffffff', 0)`,
  );
  migrate(db, join(dir, 'backups'), [...migrations, next]);
  expect(db.prepare('SELECT name, note FROM classes').all()).toEqual([
    { name: 'cell', note: null },
  ]);
  expect(db.pragma('user_version', { simple: true })).toBe(newest + 10);
  const [backup] = readdirSync(join(dir, 'backups'));
  expect(backup).toMatch(new RegExp(`^project-v${newest}-.*\\.sqlite$`));
  const copy = connect(join(dir, 'backups', backup ?? ''), { create: false });
  expect(copy.prepare('SELECT name FROM classes').all()).toEqual([{ name: 'cell' }]);
  copy.close();
  db.close();
});

test('a migration that fails leaves version and tables as they were', () => {
  createProject(dir).dispose();
  const db = connect(join(dir, 'project.sqlite'), { create: false });
  const broken = {
    version: newest + 10,
    sql: 'CREATE TABLE half (a TEXT) STRICT; SELECT nonsense',
  };
  expect(() => migrate(db, join(dir, 'backups'), [...migrations, broken])).toThrow();
  expect(db.pragma('user_version', { simple: true })).toBe(newest);
  expect(() => db.prepare('SELECT * FROM half')).toThrow();
  db.close();
});

test('only the newest backups are kept', () => {
  const project = createProject(dir);
  const db = connect(join(dir, 'project.sqlite'), { create: false });
  for (let i = 0; i < 7; i++) {
    backUp(db, join(dir, 'backups'), 10);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
  }
  expect(readdirSync(join(dir, 'backups'))).toHaveLength(5);
  db.close();
  project.dispose();
});

test('every table is strict and every foreign key has an index', () => {
  createProject(dir).dispose();
  const db = connect(join(dir, 'project.sqlite'), { create: false });
  const names = v.array(v.object({ name: v.string(), strict: v.number(), schema: v.string() }));
  for (const table of v.parse(names, db.pragma('table_list'))) {
    if (table.name.startsWith('sqlite_')) continue;
    expect([table.name, table.strict]).toEqual([table.name, 1]);
    const keys = v.parse(
      v.array(v.object({ from: v.string(), on_delete: v.string() })),
      db.pragma(`foreign_key_list(${table.name})`),
    );
    for (const key of keys) {
      expect([table.name, key.on_delete]).not.toEqual([table.name, 'NO ACTION']);
      const plan = v.parse(
        v.array(v.object({ detail: v.string() })),
        db.prepare(`EXPLAIN QUERY PLAN SELECT 1 FROM ${table.name} WHERE ${key.from} = ?`).all('x'),
      );
      expect(plan[0]?.detail).toMatch(/^SEARCH .*INDEX|^SEARCH .*PRIMARY KEY/);
    }
  }
  db.close();
});

test('two connections write one after the other', () => {
  const project = createProject(dir);
  const other = openProject(dir, { migrate: false });
  project.settings.set('a', 1);
  other.settings.set('a', 2);
  expect(project.settings.get('a', v.number())).toBe(2);
  other.dispose();
  project.dispose();
});

test('what was stored survives kill -9 in the middle of writing', async () => {
  createProject(dir).dispose();
  const script = join(folder, 'writer.mjs');
  const source = new URL('../../../src-main/project/project.ts', import.meta.url).href;
  writeFileSync(
    script,
    `import { openProject } from '${source}';
     const project = openProject(process.argv[2]);
     for (let i = 0; ; i++) {
       project.settings.set('count', i);
       if (i === 200) process.send('enough');
     }`,
  );
  const writer = fork(script, [dir]);
  await once(writer, 'message');
  writer.kill('SIGKILL');
  await once(writer, 'exit');
  const project = openProject(dir);
  expect(project.settings.get('count', v.number())).toBeGreaterThanOrEqual(200);
  const db = connect(join(dir, 'project.sqlite'), { create: false });
  expect(db.pragma('quick_check', { simple: true })).toBe('ok');
  db.close();
  project.dispose();
});
