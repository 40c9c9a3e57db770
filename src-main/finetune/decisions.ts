import * as v from 'valibot';
import type { Project } from '../project/project.ts';

const key = 'study.decisions';

const decisionSchema = v.object({
  answer: v.picklist(['label', 'model']),
  /** The model whose picture was looked at. */
  runId: v.string(),
  at: v.number(),
});
const decisionsSchema = v.record(v.string(), decisionSchema);

/** Who is wrong where label and model disagree, by image. */
export type Decisions = Readonly<v.InferOutput<typeof decisionsSchema>>;

export function readDecisions(project: Project): Decisions {
  return project.settings.get(key, decisionsSchema) ?? {};
}

/** Stores who is wrong on an image; null takes the answer back. */
export function decide(
  project: Project,
  imageId: string,
  decision: v.InferOutput<typeof decisionSchema> | null,
): void {
  project.transaction(() => {
    const { [imageId]: before, ...others } = readDecisions(project);
    if (before === undefined && decision === null) return;
    project.settings.set(key, decision === null ? others : { ...others, [imageId]: decision });
  });
}
