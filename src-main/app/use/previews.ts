import { setTimeout as sleep } from 'node:timers/promises';
import type { Preview } from '../../contract/use.ts';
import {
  classMapFolder,
  readChangedAreas,
  readClassMapFacts,
  type Area,
} from '../../inference/class-map.ts';
import { isOpen } from '../../jobs/states.ts';
import type { JobRow } from '../../project/jobs.ts';
import type { Workspace } from '../workspace.ts';
import { modelCacheKey, sourceOf } from './catalog.ts';
import { findInput } from './inputs.ts';

const fastestMs = 100;
const idleMs = 400;
/** More new parts than this become one that holds them all. */
const mostAreas = 64;

interface Shown {
  readonly jobId: string;
  readonly modelIds: readonly string[];
  readonly inputIds: readonly string[];
}

/** The predictions that are made to be looked at; one job at a time. */
export class Previews {
  readonly #workspace: Workspace;
  #shown: Shown | undefined;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** Begins with the first image unless it is being made or is there; others in the making end. */
  show(modelIds: readonly string[], inputIds: readonly string[], again: boolean): void {
    const { project, places, queue } = this.#workspace;
    const [first = ''] = inputIds;
    if (!again) {
      if (modelIds.every((modelId) => this.#isInMaking(modelId, first))) return;
      const isDone = (inputId: string): boolean =>
        modelIds.every(
          (modelId) => readClassMapFacts(this.#folder(modelId, inputId))?.state === 'complete',
        );
      if (isDone(first) && (this.#job() !== undefined || inputIds.every(isDone))) return;
    }
    this.stop();
    const job = queue.add({
      type: 'predict',
      options: {
        mode: 'preview',
        models: modelIds.map((modelId) => sourceOf(places, modelId)),
        images: inputIds.map((inputId) => findInput(project, places, inputId).image),
      },
    });
    this.#shown = { jobId: job.id, modelIds, inputIds };
  }

  /** Ends the prediction in the making at once; what is ready stays. */
  stop(): void {
    const job = this.#job();
    if (job !== undefined) this.#workspace.queue.ask(job.id, 'cancel');
    this.#shown = undefined;
  }

  /** The prediction of one image by one model as it grows, at most ten messages a second. */
  async *watch(modelId: string, inputId: string, signal?: AbortSignal): AsyncGenerator<Preview> {
    let offset = 0;
    let last = '';
    while (signal?.aborted !== true && this.#workspace.opened !== undefined) {
      const folder = this.#folder(modelId, inputId);
      const preview = this.#state(modelId, inputId, folder);
      const ready = readChangedAreas(folder, offset);
      offset = ready.offset;
      const text = JSON.stringify(preview);
      if (text !== last || ready.areas.length > 0) {
        last = text;
        yield { ...preview, changed: joined(ready.areas) };
      }
      await sleep(preview.state === 'working' ? fastestMs : idleMs, undefined, { signal }).catch(
        () => undefined, // the window closed
      );
    }
  }

  #state(modelId: string, inputId: string, folder: string): Preview {
    const facts = readClassMapFacts(folder);
    const size = facts === undefined ? null : { widthPx: facts.widthPx, heightPx: facts.heightPx };
    const base = {
      size,
      done: 0,
      total: 0,
      remainingSeconds: null,
      changed: [],
      classPixels: facts?.classPixels ?? [],
      pixelSizeUm: facts?.pixelSizeUm ?? null,
      error: null,
    };
    if (facts?.state === 'complete') return { ...base, state: 'complete' };
    const shown = this.#shown;
    const isShown = shown?.modelIds.includes(modelId) === true && shown.inputIds.includes(inputId);
    const job = isShown ? this.#workspace.project.jobs.get(shown.jobId) : undefined;
    if (shown === undefined || job === undefined) {
      return { ...base, state: facts === undefined ? 'none' : 'stopped' };
    }
    if (!isOpen(job)) {
      const isFailed = job.error !== null && shown.inputIds[0] === inputId;
      return {
        ...base,
        state: isFailed ? 'failed' : 'stopped',
        error: isFailed ? job.error : null,
      };
    }
    const { progress } = job;
    const item =
      shown.inputIds.indexOf(inputId) * shown.modelIds.length + shown.modelIds.indexOf(modelId);
    if (facts === undefined || progress?.values?.['item'] !== item) {
      return { ...base, state: facts === undefined ? 'waiting' : 'working' };
    }
    const { done, total, remainingSeconds = null } = progress;
    return { ...base, state: 'working', done, total, remainingSeconds };
  }

  #isInMaking(modelId: string, inputId: string): boolean {
    const shown = this.#shown;
    return (
      this.#job() !== undefined &&
      shown?.modelIds.includes(modelId) === true &&
      shown.inputIds.includes(inputId)
    );
  }

  /** The job at work, if there is one. */
  #job(): JobRow | undefined {
    if (this.#shown === undefined) return undefined;
    const job = this.#workspace.project.jobs.get(this.#shown.jobId);
    return job !== undefined && isOpen(job) && job.request === 'none' ? job : undefined;
  }

  #folder(modelId: string, inputId: string): string {
    const { project, places } = this.#workspace;
    const { key } = findInput(project, places, inputId);
    return classMapFolder(project, modelCacheKey(project, places, modelId), key);
  }
}

/** A message stays small, however much became ready. */
function joined(areas: readonly Area[]): Area[] {
  if (areas.length <= mostAreas) return [...areas];
  const leftPx = Math.min(...areas.map((area) => area.leftPx));
  const topPx = Math.min(...areas.map((area) => area.topPx));
  return [
    {
      leftPx,
      topPx,
      widthPx: Math.max(...areas.map((area) => area.leftPx + area.widthPx)) - leftPx,
      heightPx: Math.max(...areas.map((area) => area.topPx + area.heightPx)) - topPx,
    },
  ];
}
