import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect, type Connection } from '../../../src-main/project/database.ts';
import { migrate, migrations } from '../../../src-main/project/migrate.ts';

let folder = '';
let db: Connection;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'decon-migration-'));
  db = connect(join(folder, 'project.sqlite'), { create: true });
  migrate(db, folder, migrations.slice(0, 1));
  db.exec(rows);
});
afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

const rows = `
INSERT INTO project VALUES (1, 'p', 'cells', 5);
INSERT INTO folders VALUES ('f', '/data', 5);
INSERT INTO images VALUES ('a', 'f', 'a.png', 1, 2, 's', 'png', 4, 3, 3, 8, 1, '{}', 'g', 'train',
  'usable', NULL);
INSERT INTO images VALUES ('b', 'f', 'b.png', 1, 2, 's', 'png', 4, 3, 3, 8, 1, '{}', NULL, NULL,
  'duplicate', 'a');
INSERT INTO import_problems VALUES (7, 'c.png', 'images.unreadable', 'No.', 'skipped');
INSERT INTO classes VALUES (0, 'background', '#000000'), (1, 'cell', '#0072b2'),
  (9, 'late', '#ffffff');
INSERT INTO masks VALUES ('a', '/data/m.png', 'palette', 4, 3, '[10,2]', 0, '{"bytes":1}');
INSERT INTO runs VALUES ('r', 'pretrain', 'one', 'done', '{}', 1, NULL, 'random', NULL, 5, 5, 6,
  '{}', 3, 3);
INSERT INTO studies VALUES ('s', 'study', '{}', 5, NULL);
INSERT INTO jobs VALUES ('j2', 'pretrain', 'r', NULL, '{"device":"auto"}', 'done', 'none', 12, 'x',
  6, NULL, NULL, '{"ok":true}', 5, 5, 6);
INSERT INTO jobs VALUES ('j1', 'study', NULL, 's', '{}', 'failed', 'stop', NULL, NULL, NULL, '{}',
  '{"code":"a","message":"b"}', NULL, 5, NULL, NULL);
`;

function table(name: string): unknown[] {
  return db.prepare(`SELECT * FROM ${name} ORDER BY rowid`).all();
}

const kept = ['project', 'folders', 'images', 'masks', 'runs', 'studies', 'jobs'] as const;

test('version 20 keeps every row of version 10 and gives classes their label values', () => {
  const before = new Map(kept.map((name) => [name, table(name)]));
  migrate(db, folder);
  expect(db.pragma('user_version', { simple: true })).toBe(20);
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
  for (const name of kept) expect(table(name), name).toEqual(before.get(name));
  expect(table('classes')).toEqual([
    { class_index: 0, name: 'background', color: '#000000', label_value: 0, digit: 1 },
    { class_index: 1, name: 'cell', color: '#0072b2', label_value: 1, digit: 2 },
    { class_index: 9, name: 'late', color: '#ffffff', label_value: 9, digit: null },
  ]);
  expect(table('used_label_values').map((row) => row)).toHaveLength(3);
  expect(table('import_problems')).toEqual([
    {
      id: 7,
      path: 'c.png',
      code: 'images.unreadable',
      message: 'No.',
      effect: 'skipped',
      folder_id: null,
    },
  ]);
});

test('after version 20 jobs of later types and painted masks are accepted, and rows still cascade', () => {
  migrate(db, folder);
  db.exec(`
    INSERT INTO jobs (id, type, options, status, request, created_at)
      VALUES ('j3', 'calibrate', '{}', 'queued', 'none', 7);
    INSERT INTO masks VALUES ('b', '', 'painted', 4, 3, '[12]', 0, '{}');
    DELETE FROM images WHERE id = 'b';
    DELETE FROM runs WHERE id = 'r';
  `);
  expect(table('masks')).toHaveLength(1);
  expect(db.prepare('SELECT id FROM jobs ORDER BY id').all()).toEqual([{ id: 'j1' }, { id: 'j3' }]);
});
