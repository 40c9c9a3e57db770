import { resolve } from 'node:path';
import type { PickPurpose } from '../contract/host.ts';
import type { Topic } from '../contract/jobs.ts';
import { AppError } from '../lib/errors.ts';
import type { JobRow, JobType } from '../project/jobs.ts';
import { openProject, type Project } from '../project/project.ts';
import { Changes } from './changes.ts';
import { removeDropped } from './dropped-files.ts';
import { HostCommands } from './host-commands.ts';
import { JobQueue } from './job-queue.ts';
import { PictureClient } from './pictures/client.ts';
import { Places } from './places.ts';
import { UserStateFile } from './user-state.ts';

/** What the running host can do that the other cannot. */
export interface Host {
  readonly kind: 'window' | 'browser';
  /** The system's dialog; null when it was closed, undefined where there is none. */
  pick(request: {
    readonly purpose: PickPurpose;
    readonly kind: 'folder' | 'files';
  }): Promise<readonly string[] | null>;
  reveal(path: string): boolean;
  setTheme(theme: 'system' | 'light' | 'dark'): void;
  /** Hears of jobs that ended, for notifications of the system. */
  jobEnded?(job: JobRow): void;
}

export interface OpenedProject {
  readonly project: Project;
  readonly queue: JobQueue;
  readonly pictures: PictureClient;
}

/** What the topics of the window depend on, by the type of job that writes it. */
const writtenBy: Readonly<Record<JobType, readonly Topic[]>> = {
  import: ['images', 'labels', 'project'],
  pretrain: ['runs', 'project'],
  finetune: ['runs', 'models', 'project'],
  study: ['studies', 'runs', 'models', 'project'],
  predict: ['predictions'],
  export: ['models'],
  suggest: ['labels'],
  propose: ['labels'],
  calibrate: ['settings'],
};

const touchEveryMs = 1000;

/** The one project that is open in this program, and everything around it that outlives it. */
export class Workspace {
  readonly host: Host;
  readonly places = new Places();
  readonly changes = new Changes();
  readonly hostCommands = new HostCommands();
  readonly userState: UserStateFile;
  #opened: OpenedProject | undefined;
  readonly #touchedAt = new Map<JobType, number>();

  constructor(host: Host, userState = new UserStateFile()) {
    this.host = host;
    this.userState = userState;
  }

  get opened(): OpenedProject | undefined {
    return this.#opened;
  }

  /** @throws AppError `project.none-open` */
  get current(): OpenedProject {
    if (this.#opened !== undefined) return this.#opened;
    throw new AppError('project.none-open', 'No project is open. Open or create one first.');
  }

  get project(): Project {
    return this.current.project;
  }

  get queue(): JobQueue {
    return this.current.queue;
  }

  get pictures(): PictureClient {
    return this.current.pictures;
  }

  /**
   * Opens a project in place of the one that is open, whose jobs pause.
   * @throws AppError as openProject
   */
  async open(dir: string): Promise<Project> {
    // Opening it again would only pause its jobs.
    if (resolve(dir) === this.#opened?.project.dir) return this.#opened.project;
    return this.use(openProject(dir));
  }

  /** Takes over a project that was just opened or created. */
  async use(project: Project): Promise<Project> {
    await this.close();
    removeDropped(project); // of a program that was ended hard
    const queue = new JobQueue(project, {
      onJob: (job, event) => {
        if (event.type === 'progress') this.#touchNowAndThen(job.type);
        else this.changes.touch(...writtenBy[job.type], 'project');
        if (event.type === 'ended') this.host.jobEnded?.(job);
      },
    });
    this.#opened = { project, queue, pictures: new PictureClient() };
    const { dir, name } = project;
    const others = this.userState.current.recent.filter((entry) => entry.dir !== dir);
    this.userState.change({
      recent: [{ dir, name, openedAt: Date.now() }, ...others].slice(0, 12),
    });
    this.changes.touch('project');
    return project;
  }

  /** Progress itself reaches the windows by the stream of jobs; curves and lists need not hurry. */
  #touchNowAndThen(type: JobType): void {
    const last = this.#touchedAt.get(type) ?? -Infinity;
    if (performance.now() - last < touchEveryMs) return;
    this.#touchedAt.set(type, performance.now());
    this.changes.touch(...writtenBy[type]);
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return;
    this.#opened = undefined;
    opened.pictures.dispose();
    await opened.queue.dispose();
    removeDropped(opened.project);
    opened.project.dispose();
    this.changes.touch('project');
  }
}
