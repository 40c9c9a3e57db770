import * as v from 'valibot';
import { importImages } from '../datasets/import.ts';
import { divideImages } from '../datasets/import-splits.ts';
import { surveyMasks } from '../datasets/mask-survey.ts';
import type { TaskControl } from '../datasets/import-types.ts';
import { removeFolder } from '../datasets/remove-folder.ts';
import { assertNever } from '../lib/errors.ts';
import type { RunControl } from '../lib/progress.ts';
import type { JobRow } from '../project/jobs.ts';
import type { Project } from '../project/project.ts';
import type { JsonObject } from '../project/values.ts';
import { importJobSchema } from './job-options.ts';

/** Reads folders, looks at masks, or divides the images, as the options of the job say. */
export async function runImportJob(
  project: Project,
  job: JobRow,
  control: RunControl,
): Promise<JsonObject | undefined> {
  const options = v.parse(importJobSchema, job.options);
  const watched: TaskControl = {
    signal: control.signal,
    onProgress: (progress) => control.report(progress),
  };
  if (!('task' in options)) return { ...(await importImages(project, options, watched)) };
  switch (options.task) {
    case 'folders': {
      let result: JsonObject = {};
      for (const folder of options.folders) {
        result = { ...(await importImages(project, folder, watched)) };
      }
      return result;
    }
    case 'survey':
      return { ...(await surveyMasks(project, options.masksPath, job.id, watched)) };
    case 'split':
      divideImages(project, options);
      return undefined;
    case 'remove':
      removeFolder(project, options.folderId);
      return undefined;
    default:
      return assertNever(options);
  }
}
