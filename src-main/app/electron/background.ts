import type { JobRow } from '../../project/jobs.ts';
import type { Workspace } from '../workspace.ts';
import { describeJob } from '../services/jobs.ts';

/** How far the running jobs are: for the taskbar, the dock and the tooltip of the tray. */
export interface WorkState {
  /** Of the job that was started first; -1 when none runs, 2 when its end is not known. */
  readonly share: number;
  /** One line, e.g. "Pre-training run-3: 42 %". */
  readonly line: string;
  readonly titles: readonly string[];
}

const nothing: WorkState = { share: -1, line: 'DeCon Studio: nothing is running', titles: [] };

/** What runs in the open project, in words and as a share. */
export function workState(workspace: Workspace): WorkState {
  const { opened } = workspace;
  if (opened === undefined) return nothing;
  const running = opened.queue.shown().filter(({ status }) => status === 'running');
  const first = running.at(-1);
  if (first === undefined) return nothing;
  const titles = running.map((row) => describeJob(opened.project, row).title);
  const title = titles.at(-1) ?? '';
  const share = shareOf(first);
  const line = share > 1 ? title : `${title}: ${Math.floor(share * 100)} %`;
  return { share, line, titles };
}

/** The text of the notification for a job that ended with no window open. */
export function endingText(workspace: Workspace, job: JobRow): { title: string; body: string } {
  const title =
    workspace.opened === undefined ? 'A job' : describeJob(workspace.opened.project, job).title;
  const ending = endings.get(job.status) ?? 'has ended';
  return { title: `${title} ${ending}`, body: 'Click to open DeCon Studio.' };
}

const endings: ReadonlyMap<JobRow['status'], string> = new Map([
  ['done', 'is finished'],
  ['paused', 'is paused'],
  ['failed', 'stopped with an error'],
  ['interrupted', 'was interrupted'],
]);

function shareOf({ progress }: JobRow): number {
  return progress === null || progress.total === 0 ? 2 : progress.done / progress.total;
}
