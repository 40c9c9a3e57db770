import { classesContract } from './classes.ts';
import { finetuningsContract } from './finetunings.ts';
import { hostContract } from './host.ts';
import { imagesContract } from './images.ts';
import { jobsContract } from './jobs.ts';
import { labelsContract } from './labels.ts';
import { projectsContract } from './projects.ts';
import { studiesContract } from './studies.ts';

/** Everything that the window can ask of main, one entry a service. */
export const contract = {
  classes: classesContract,
  host: hostContract,
  images: imagesContract,
  jobs: jobsContract,
  labels: labelsContract,
  projects: projectsContract,
  finetunings: finetuningsContract,
  studies: studiesContract,
};
