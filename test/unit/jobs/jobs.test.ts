import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defined } from '../../../src-main/lib/errors.ts';
import { parseFromJob, parseToJob } from '../../../src-main/jobs/messages.ts';
import { startJob, type JobEvent, type RunningJob } from '../../../src-main/jobs/runner.ts';
import { interruptLostJobs, stateInWords } from '../../../src-main/jobs/states.ts';
import { createProject, openProject, type Project } from '../../../src-main/project/project.ts';

const entry = new URL('./fake-entry.ts', import.meta.url);
let folder = '';
let project: Project;
let runId = '';
let events: JobEvent[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'decon-jobs-'));
  project = createProject(join(folder, 'a.decon'));
  runId = project.runs.create({ kind: 'pretrain', config: {}, seed: 1, start: 'random' }).id;
  events = [];
});
afterEach(() => {
  project.dispose();
  rmSync(folder, { recursive: true, force: true });
});

function start(behavior: string, steps = 5, killAfterMs = 10_000): RunningJob {
  const job = project.jobs.create({ type: 'pretrain', runId, options: { behavior, steps } });
  return startJob(project, job.id, { entry, killAfterMs, onEvent: (event) => events.push(event) });
}

async function firstStep(): Promise<void> {
  while (!events.some((event) => event.type === 'progress')) await sleep(5);
}

test('a job runs in its own process and stores its outcome', async () => {
  const running = start('count');
  expect(await running.outcome).toEqual({ status: 'done', error: null, result: { counted: 5 } });
  const job = defined(project.jobs.get(running.jobId), 'job');
  expect(job).toMatchObject({ status: 'done', progress: { done: 5, total: 5 } });
  expect(job.pid).not.toBe(process.pid);
  expect(project.runs.get(runId)).toMatchObject({ status: 'done', step: 5 });
  expect(project.runNotices.list(runId)[0]?.message).toBe('This is a fake (count).');
  expect(events.at(-1)).toMatchObject({ type: 'progress', progress: { done: 5 } });
});

test('cancel is cooperative', async () => {
  const running = start('count', 10_000);
  await firstStep();
  running.ask('cancel');
  expect((await running.outcome).status).toBe('cancelled');
  expect(project.runs.get(runId)?.status).toBe('cancelled');
});

test('a job that does not listen is killed and counts as cancelled', async () => {
  const running = start('deaf', 10_000, 100);
  await firstStep();
  running.ask('cancel');
  expect((await running.outcome).status).toBe('cancelled');
});

test('stop keeps what was learnt and ends as done, pause as paused', async () => {
  const stopped = start('count', 10_000);
  await firstStep();
  stopped.ask('stop');
  expect((await stopped.outcome).status).toBe('done');
  events = [];
  const paused = start('count', 10_000);
  await firstStep();
  paused.ask('pause');
  expect((await paused.outcome).status).toBe('paused');
});

test('another process can pause a job through the database', async () => {
  const running = start('count', 10_000);
  await firstStep();
  const other = openProject(project.dir, { migrate: false });
  expect(other.jobs.ask(running.jobId, 'pause')).toBe(true);
  other.dispose();
  expect((await running.outcome).status).toBe('paused');
});

test('after kill -9 the job is interrupted and says that nothing was lost', async () => {
  const running = start('count', 10_000);
  await firstStep();
  process.kill(defined(project.jobs.get(running.jobId)?.pid, 'pid'), 'SIGKILL');
  const outcome = await running.outcome;
  expect(outcome).toMatchObject({ status: 'interrupted', error: { code: 'job.crashed' } });
  expect(outcome.error?.message).toMatch(/SIGKILL.*is safe/);
  expect(project.runs.get(runId)?.status).toBe('interrupted');
});

test.each([
  ['refuse', 'failed', 'fake.refused', /^The fake refuses\.$/],
  ['bug', 'failed', 'internal', /Something went wrong inside/],
  ['memory', 'failed', 'job.out-of-memory', /ran out of memory/],
  ['exit', 'interrupted', 'job.crashed', /exit code 7.*about to fall over/],
])('a handler that does "%s" ends as %s with %s', async (behavior, status, code, message) => {
  const outcome = await start(behavior).outcome;
  expect(outcome).toMatchObject({ status, error: { code } });
  expect(outcome.error?.message).toMatch(message);
});

test('a running row whose process is gone becomes interrupted, a live one does not', async () => {
  const gone = project.jobs.create({ type: 'pretrain', runId });
  project.jobs.update(gone.id, { status: 'running', pid: 2 ** 22 + 1, pidStarted: '' });
  const reused = project.jobs.create({ type: 'import' });
  project.jobs.update(reused.id, { status: 'running', pid: process.pid, pidStarted: 'before' });
  const running = start('count', 10_000);
  await firstStep();
  const lost = interruptLostJobs(project).map((job) => job.id);
  expect(lost).toContain(gone.id);
  if (process.platform === 'linux') expect(lost).toContain(reused.id);
  expect(lost).not.toContain(running.jobId);
  running.ask('cancel');
  await running.outcome;
});

test('a job without a sign of life for a minute is called not responding', () => {
  const job = project.jobs.create({ type: 'pretrain', runId });
  project.jobs.update(job.id, { status: 'running', heartbeatAt: 1000 });
  const row = defined(project.jobs.get(job.id), 'job');
  expect(stateInWords(row, 60_000)).toBe('running');
  expect(stateInWords(row, 62_000)).toBe('not responding');
});

test('messages are checked on both ends', () => {
  expect(parseToJob({ type: 'start', projectDir: '/p', jobId: 'j' }).type).toBe('start');
  expect(() => parseToJob({ type: 'start' })).toThrow(/Unknown message/);
  expect(parseFromJob({ type: 'ready' }).type).toBe('ready');
  expect(() => parseFromJob({ type: 'ready', extra: 1 })).toThrow(/Unknown message/);
  expect(() => parseFromJob('done')).toThrow(/Unknown message/);
});
