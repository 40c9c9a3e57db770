import * as v from 'valibot';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import { finetuneResultSchema } from './result.ts';

/**
 * The finished model that is offered first: the best mean IoU on the validation images, so that the
 * test images choose nothing. A newer model that is worse is never put in its place; among equals
 * the older one stays. Models whose weights were deleted are left out.
 */
export function bestRun(project: Project): RunRow | undefined {
  let best: { readonly run: RunRow; readonly score: number } | undefined;
  for (const run of project.runs.list('finetune')) {
    const result = v.safeParse(finetuneResultSchema, run.result);
    if (!result.success || project.checkpoints.get(run.id, 'final') === undefined) continue;
    const score = result.output.val?.scores.meanIou ?? -1;
    if (best === undefined || score > best.score) best = { run, score };
  }
  return best?.run;
}
