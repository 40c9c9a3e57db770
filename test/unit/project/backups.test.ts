import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LabelStore } from '../../../src-main/datasets/label-store.ts';
import { backUpDaily } from '../../../src-main/project/backups.ts';
import { connect } from '../../../src-main/project/database.ts';
import { openProject, type Project } from '../../../src-main/project/project.ts';
import { labelProject } from '../datasets/label-project.ts';

const day = 24 * 3600 * 1000;

let folder = '';
let project: Project;
let imageId = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'decon-backups-'));
  const made = labelProject(folder, [{ widthPx: 10, heightPx: 10 }]);
  project = made.project;
  imageId = made.imageIds[0] ?? '';
});
afterEach(() => {
  project.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function backups(): string[] {
  return readdirSync(join(project.dir, 'backups'));
}

function backUpAt(time: number): void {
  const db = connect(join(project.dir, 'project.sqlite'), { create: false });
  backUpDaily(db, join(project.dir, 'backups'), time);
  db.close();
}

test('changed labels are backed up when a project is opened, once a day', async () => {
  backUpAt(Date.now());
  expect(backups()).toEqual([]); // nothing was labelled yet
  await new LabelStore(project).fillRest(imageId, 1, 'a');
  project.dispose();
  project = openProject(project.dir);
  expect(backups()).toHaveLength(1);
  const copy = connect(join(project.dir, 'backups', backups()[0] ?? ''), { create: false });
  expect(copy.prepare('SELECT count(*) AS tiles FROM label_tiles').get()).toEqual({ tiles: 1 });
  copy.close();
  backUpAt(Date.now() + 2 * day); // unchanged since
  expect(backups()).toHaveLength(1);
  await new LabelStore(project).fillRest(imageId, 1, 'b');
  new LabelStore(project).undo(imageId);
  backUpAt(Date.now() + day / 2);
  expect(backups()).toHaveLength(1);
  backUpAt(Date.now() + 2 * day);
  expect(backups()).toHaveLength(2);
});

test('a backup that fails does not keep anyone from working', async () => {
  await new LabelStore(project).fillRest(imageId, 1, 'a');
  rmSync(join(project.dir, 'backups'), { recursive: true });
  writeFileSync(join(project.dir, 'backups'), 'in the way');
  expect(() => backUpAt(Date.now())).not.toThrow();
});
