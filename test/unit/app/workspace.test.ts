import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UserStateFile } from '../../../src-main/app/user-state.ts';
import { Workspace } from '../../../src-main/app/workspace.ts';
import { demoFolder } from '../../../src-main/lib/program-entries.ts';
import type { JobRow } from '../../../src-main/project/jobs.ts';
import { createProject, openProject } from '../../../src-main/project/project.ts';

let folder = '';
let ended: JobRow[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'decon-workspace-'));
  ended = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function workspace(): Workspace {
  return new Workspace(
    {
      kind: 'browser',
      pick: () => Promise.resolve(null),
      reveal: () => false,
      setTheme: () => undefined,
      jobEnded: (job) => ended.push(job),
    },
    new UserStateFile(join(folder, 'state')),
  );
}

test('closing asks running jobs to end and waits for them; the host hears of it', async () => {
  const dir = join(folder, 'a.decon');
  const opened = workspace();
  await opened.use(createProject(dir, 'a'));
  const job = opened.queue.add({ type: 'import', options: { imagesPath: demoFolder } });
  expect(opened.queue.isWorking).toBe(true);
  await opened.close();
  expect(ended.map(({ id }) => id)).toEqual([job.id]);
  const again = openProject(dir);
  expect(again.jobs.get(job.id)?.status).toMatch(/cancelled|done/);
  again.dispose();
});

test('closing starts none of the jobs that still wait', async () => {
  const dir = join(folder, 'a.decon');
  const opened = workspace();
  await opened.use(createProject(dir, 'a'));
  const [first, second] = [1, 2].map(() =>
    opened.queue.add({ type: 'study', options: { device: 'cpu' } }),
  );
  expect([first?.status, second?.status]).toEqual(['queued', 'queued']);
  await opened.close();
  expect(ended.map(({ id }) => id)).toEqual([first?.id]);
  const again = openProject(dir);
  expect(again.jobs.get(second?.id ?? '')?.status).toBe('interrupted');
  again.dispose();
});

test('a project that is open is not opened again', async () => {
  const dir = join(folder, 'a.decon');
  createProject(dir, 'a').dispose();
  const opened = workspace();
  const project = await opened.open(dir);
  expect(await opened.open(join(dir, '.'))).toBe(project);
  expect(opened.userState.current.recent.map((entry) => entry.dir)).toEqual([dir]);
  await opened.close();
});
