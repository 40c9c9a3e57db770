import { setImmediate } from 'node:timers/promises';
import type { ImageOutline } from '../project/image-outlines.ts';
import type { Project } from '../project/project.ts';
import type { Workspace } from './workspace.ts';

/**
 * The outlines of all images of the open project, kept until images or labels change. 100,000 of
 * them are read in slices, so that main answers others in between.
 */
export class OutlineCache {
  readonly #workspace: Workspace;
  #project: Project | undefined;
  #reading: Promise<readonly ImageOutline[]> | undefined;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    workspace.changes.listen((topics) => {
      if (topics.some((topic) => topic === 'images' || topic === 'labels')) {
        this.#reading = undefined;
      }
    });
  }

  all(): Promise<readonly ImageOutline[]> {
    const { project } = this.#workspace;
    if (this.#project !== project) this.#reading = undefined;
    this.#project = project;
    this.#reading ??= read(project);
    return this.#reading;
  }
}

async function read(project: Project): Promise<ImageOutline[]> {
  const outlines: ImageOutline[] = [];
  for (const page of project.imageOutlines.pages()) {
    for (const outline of page) outlines.push(outline);
    await setImmediate();
  }
  return outlines;
}
