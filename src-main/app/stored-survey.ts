import * as v from 'valibot';
import type { MaskSurvey } from '../contract/import.ts';
import { valueKinds } from '../datasets/mask-choice.ts';
import type { MaskSurvey as Survey } from '../datasets/mask-survey-types.ts';
import type { Project } from '../project/project.ts';

const names = v.object({ count: v.number(), names: v.array(v.string()) });

const surveySchema = v.object({
  path: v.string(),
  folderId: v.string(),
  imagesPath: v.string(),
  name: v.string(),
  kind: v.picklist(['files', 'coco']),
  images: v.number(),
  masks: v.number(),
  matched: v.number(),
  lookedAt: v.number(),
  proposedBy: v.picklist(['file', 'earlier', 'values']),
  classes: v.array(v.object({ name: v.string(), color: v.string() })),
  lockedClasses: v.number(),
  values: v.array(
    v.object({
      key: v.number(),
      kind: v.picklist(valueKinds),
      value: v.number(),
      name: v.string(),
      color: v.string(),
      pixels: v.number(),
      masks: v.number(),
      classIndex: v.exactOptional(v.nullable(v.number())),
    }),
  ),
  soft: v.object({ values: v.number(), pixels: v.number(), masks: v.number() }),
  samples: v.array(
    v.object({
      imageId: v.string(),
      name: v.string(),
      widthPx: v.number(),
      heightPx: v.number(),
    }),
  ),
  unlabelledImages: names,
  strayMasks: names,
  problems: v.object({
    count: v.number(),
    rows: v.array(v.object({ path: v.string(), message: v.string() })),
  }),
}) satisfies v.GenericSchema<unknown, Survey>;

/** What a finished job found out about masks; undefined for any other job. */
export function storedSurvey(project: Project, jobId: string): Survey | undefined {
  const job = project.jobs.get(jobId);
  if (job?.type !== 'import' || job.options['task'] !== 'survey' || job.status !== 'done') {
    return undefined;
  }
  return v.parse(surveySchema, job.result);
}

/** Without paths, which stay in main. */
export function toContract(survey: Survey): MaskSurvey {
  return v.parse(shownSchema, survey);
}

// Entries that a schema does not name are left out.
const shownSchema = v.omit(surveySchema, ['path', 'folderId', 'imagesPath']);
