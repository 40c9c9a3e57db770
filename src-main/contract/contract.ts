import { hostContract } from './host.ts';
import { imagesContract } from './images.ts';
import { jobsContract } from './jobs.ts';
import { projectsContract } from './projects.ts';

/** Everything that the window can ask of main, one entry a service. */
export const contract = {
  host: hostContract,
  images: imagesContract,
  jobs: jobsContract,
  projects: projectsContract,
};
