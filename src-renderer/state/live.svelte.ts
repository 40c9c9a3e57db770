import { consumeEventIterator } from '@orpc/client';
import type { Job, LiveState, Topic } from '../../src-main/contract/jobs.ts';
import { client } from '../client/client.ts';
import { isUnfinished } from '../job-status.ts';

type Listener = () => void;

const retryMs = 1000;

/** What main tells by itself: jobs and what has changed. One instance for the whole window. */
class Live {
  projectId: string | null = $state(null);
  jobs: readonly Job[] = $state.raw([]);
  /** False while main does not answer. */
  isConnected = $state(true);
  readonly #listeners = new Map<Topic, Set<Listener>>();

  /** Jobs that wait or work. */
  readonly open = $derived(this.jobs.filter(isUnfinished));

  start(): void {
    this.#connect();
  }

  /** Calls `listener` whenever one of the topics may have changed. @returns what ends it */
  listen(topics: readonly Topic[], listener: Listener): () => void {
    for (const topic of topics) {
      const listeners = this.#listeners.get(topic) ?? new Set();
      this.#listeners.set(topic, listeners.add(listener));
    }
    return () => {
      for (const topic of topics) this.#listeners.get(topic)?.delete(listener);
    };
  }

  /** The newest shown job of a run or a study. */
  jobOf(owner: { readonly runId?: string; readonly studyId?: string }): Job | undefined {
    return this.jobs.find(
      (job) =>
        (owner.runId !== undefined && job.runId === owner.runId) ||
        (owner.studyId !== undefined && job.studyId === owner.studyId),
    );
  }

  #connect(): void {
    consumeEventIterator(client.jobs.watch(), {
      onEvent: (state) => this.#take(state),
      onFinish: () => {
        this.isConnected = false;
        setTimeout(() => this.#connect(), retryMs);
      },
    });
  }

  #take(state: LiveState): void {
    if (!this.isConnected) this.#notify([...this.#listeners.keys()]);
    this.isConnected = true;
    if (this.projectId !== state.projectId) this.projectId = state.projectId;
    this.jobs = state.jobs;
    this.#notify(state.changed);
  }

  #notify(topics: readonly Topic[]): void {
    const listeners = new Set(topics.flatMap((topic) => [...(this.#listeners.get(topic) ?? [])]));
    for (const listener of listeners) listener();
  }
}

export const live = new Live();
