import { finetuningsService } from './services/finetunings.ts';
import { hostService } from './services/host.ts';
import { imagesService } from './services/images.ts';
import { jobsService } from './services/jobs.ts';
import { projectsService } from './services/projects.ts';
import { studiesService } from './services/studies.ts';
import type { Workspace } from './workspace.ts';

/** Every procedure of the contract, on one workspace; served over a MessagePort or over HTTP. */
export function createRouter(workspace: Workspace) {
  return {
    host: hostService(workspace),
    images: imagesService(workspace),
    jobs: jobsService(workspace),
    projects: projectsService(workspace),
    finetunings: finetuningsService(workspace),
    studies: studiesService(workspace),
  };
}
