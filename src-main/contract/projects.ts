import * as v from 'valibot';
import { procedure } from './procedure.ts';
import { count, id, place, shortText, time } from './values.ts';

const stepState = v.object({
  state: v.picklist(['locked', 'empty', 'attention', 'running', 'done']),
  /** Why it is locked or what it waits for; empty when there is nothing to say. */
  reason: v.string(),
});

export const project = v.object({
  id,
  name: v.string(),
  shown: v.string(),
  /** Of the five steps, for the rail. */
  steps: v.object({
    images: stepState,
    pretrain: stepState,
    label: stepState,
    study: stepState,
    use: stepState,
  }),
  counts: v.object({
    images: count,
    labelled: count,
    classes: count,
    pretrainings: count,
    models: count,
  }),
});
export type OpenProject = Readonly<v.InferOutput<typeof project>>;
export type StepState = Readonly<v.InferOutput<typeof stepState>>;

export const recentProject = v.object({
  placeId: id,
  name: v.string(),
  shown: v.string(),
  openedAt: time,
  /** False when the folder is gone or its disk is not connected. */
  isThere: v.boolean(),
  /** It is the project that is open now. */
  isOpen: v.boolean(),
});
export type RecentProject = Readonly<v.InferOutput<typeof recentProject>>;

export const projectsContract = {
  /** The open project, or null. */
  current: procedure.output(v.nullable(project)),
  recent: procedure.output(v.array(recentProject)),
  forget: procedure.input(v.strictObject({ placeId: id })),
  open: procedure.input(v.strictObject({ placeId: id })).output(project),
  /** A new project named `name` in the chosen folder, or in the usual one. */
  create: procedure
    .input(v.strictObject({ name: shortText, inPlaceId: v.optional(id) }))
    .output(project),
  /** Where `create` puts projects when nobody chooses. */
  usualPlace: procedure.output(place),
  /** A project with the demo images, imported by a job. */
  createDemo: procedure.output(project),
  close: procedure,
};
