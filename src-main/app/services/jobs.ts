import type { Job, LiveState, Topic } from '../../contract/jobs.ts';
import { stateInWords } from '../../jobs/states.ts';
import type { JobRow } from '../../project/jobs.ts';
import type { Project } from '../../project/project.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';

const fastestMs = 100;
/** Jobs of other programs on the same project are found by looking. */
const lookEveryMs = 1000;

export function jobsService(workspace: Workspace) {
  return {
    watch: implementation.jobs.watch.handler(({ signal }) => watch(workspace, signal)),
    ask: implementation.jobs.ask.handler(({ input }) => {
      workspace.queue.ask(input.jobId, input.request);
      workspace.changes.touch('project');
    }),
    dismiss: implementation.jobs.dismiss.handler(({ input }) => {
      workspace.queue.dismiss(input.jobId);
      workspace.changes.touch('project');
    }),
  };
}

async function* watch(workspace: Workspace, signal?: AbortSignal): AsyncGenerator<LiveState> {
  const changed = new Set<Topic>();
  let wake: () => void = () => undefined;
  const stop = workspace.changes.listen((topics) => {
    for (const topic of topics) changed.add(topic);
    wake();
  });
  const onAbort = (): void => wake();
  signal?.addEventListener('abort', onAbort);
  let last = '';
  try {
    while (signal?.aborted !== true) {
      const state = stateOf(workspace);
      const topics = [...changed];
      changed.clear();
      const text = JSON.stringify(state);
      if (text !== last || topics.length > 0) yield { ...state, changed: topics };
      last = text;
      await new Promise<void>((resolve) => setTimeout(resolve, fastestMs));
      if (changed.size > 0) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, lookEveryMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    stop();
  }
}

function stateOf(workspace: Workspace): Pick<LiveState, 'projectId' | 'jobs'> {
  const { opened } = workspace;
  if (opened === undefined) return { projectId: null, jobs: [] };
  const { project, queue } = opened;
  return { projectId: project.id, jobs: queue.shown().map((row) => describeJob(project, row)) };
}

/** A job as the window shows it. */
export function describeJob(project: Project, row: JobRow): Job {
  const { id, type, runId, studyId, status, request, progress, error } = row;
  return {
    id,
    type,
    title: titleOf(project, row),
    runId,
    studyId,
    status,
    isSilent: stateInWords(row) === 'not responding',
    request,
    progress,
    error,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  };
}

function titleOf(project: Project, { type, runId, studyId, options }: JobRow): string {
  const run = runId === null ? undefined : project.runs.get(runId)?.name;
  const study = studyId === null ? undefined : project.studies.get(studyId)?.name;
  switch (type) {
    case 'calibrate':
      return 'Measuring this machine';
    case 'import':
      return importTitles.get(options['task']) ?? 'Importing images';
    case 'pretrain':
      return `Pre-training ${run ?? ''}`.trim();
    case 'finetune':
      return `Fine-tuning ${run ?? ''}`.trim();
    case 'study':
      return `Study ${study ?? ''}`.trim();
    case 'suggest':
      return 'Finding images worth labelling';
    case 'propose':
      return 'Proposing labels';
    case 'predict':
      return options['mode'] === 'preview' ? 'Segmenting an image to look at' : 'Segmenting images';
    case 'export':
      return 'Exporting a model';
  }
}

const importTitles: ReadonlyMap<unknown, string> = new Map([
  ['survey', 'Looking at masks'],
  ['split', 'Dividing the images'],
  ['remove', 'Removing a folder'],
]);
