import { isOpen } from '../jobs/states.ts';
import type { Project } from '../project/project.ts';
import type { Workspace } from './workspace.ts';

/** An import says ten times a second that images have changed; answers about all of them wait. */
const keptMs = 2000;

/**
 * An answer about all images of the open project, kept until images or labels change and, while an
 * import works, for two seconds at least.
 */
export class Remembered<T> {
  readonly #workspace: Workspace;
  readonly #make: (project: Project) => T;
  #project: Project | undefined;
  #answer: T | undefined;
  #madeAt = -Infinity;
  #isStale = true;

  constructor(workspace: Workspace, make: (project: Project) => T) {
    this.#workspace = workspace;
    this.#make = make;
    workspace.changes.listen((topics) => {
      if (topics.some((topic) => topic === 'images' || topic === 'labels')) this.#isStale = true;
    });
  }

  get(): T {
    const { project } = this.#workspace;
    const isKept =
      this.#project === project &&
      (!this.#isStale ||
        (performance.now() - this.#madeAt < keptMs && isImporting(this.#workspace)));
    if (isKept && this.#answer !== undefined) return this.#answer;
    this.#project = project;
    this.#isStale = false;
    this.#madeAt = performance.now();
    const answer = this.#make(project);
    this.#answer = answer;
    // A failure is told, not remembered.
    if (answer instanceof Promise) answer.catch(() => (this.#isStale = true));
    return answer;
  }
}

/** Whether a job of the window reads images, looks at masks or divides. */
export function isImporting({ queue }: Workspace): boolean {
  return queue.shown().some((job) => job.type === 'import' && isOpen(job));
}
