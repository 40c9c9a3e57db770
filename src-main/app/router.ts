import { classesService } from './services/classes.ts';
import { finetuningsService } from './services/finetunings.ts';
import { hostService } from './services/host.ts';
import { imagesService } from './services/images.ts';
import { importService } from './services/import.ts';
import { jobsService } from './services/jobs.ts';
import { labelsService } from './services/labels.ts';
import { modelsService } from './services/models.ts';
import { predictionsService } from './services/predictions.ts';
import { pretrainService } from './services/pretrain.ts';
import { projectsService } from './services/projects.ts';
import { runsService } from './services/runs.ts';
import { studiesService } from './services/studies.ts';
import type { Workspace } from './workspace.ts';

/** Every procedure of the contract, on one workspace; served over a MessagePort or over HTTP. */
export function createRouter(workspace: Workspace) {
  return {
    classes: classesService(workspace),
    host: hostService(workspace),
    images: imagesService(workspace),
    import: importService(workspace),
    jobs: jobsService(workspace),
    labels: labelsService(workspace),
    models: modelsService(workspace),
    predictions: predictionsService(workspace),
    pretrain: pretrainService(workspace),
    projects: projectsService(workspace),
    runs: runsService(workspace),
    finetunings: finetuningsService(workspace),
    studies: studiesService(workspace),
  };
}
