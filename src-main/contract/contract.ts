import { classesContract } from './classes.ts';
import { finetuningsContract } from './finetunings.ts';
import { hostContract } from './host.ts';
import { imagesContract } from './images.ts';
import { importContract } from './import.ts';
import { jobsContract } from './jobs.ts';
import { labelsContract } from './labels.ts';
import { pretrainContract } from './pretrain.ts';
import { projectsContract } from './projects.ts';
import { runsContract } from './runs.ts';
import { studiesContract } from './studies.ts';
import { modelsContract, predictionsContract } from './use.ts';

/** Everything that the window can ask of main, one entry a service. */
export const contract = {
  classes: classesContract,
  host: hostContract,
  images: imagesContract,
  import: importContract,
  jobs: jobsContract,
  labels: labelsContract,
  models: modelsContract,
  predictions: predictionsContract,
  pretrain: pretrainContract,
  projects: projectsContract,
  runs: runsContract,
  finetunings: finetuningsContract,
  studies: studiesContract,
};
