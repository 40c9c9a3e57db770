import { AppError } from '../../lib/errors.ts';
import { planExport } from '../../inference/export-plan.ts';
import type { Project } from '../../project/project.ts';
import { addModelFile, forgetModelFile, listModels } from '../use/catalog.ts';
import { listExports } from '../use/exports.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';

export function modelsService(workspace: Workspace) {
  const { places } = workspace;
  const procedures = implementation.models;
  return {
    list: procedures.list.handler(() => listModels(workspace.project, places)),
    add: procedures.add.handler(({ input }) => {
      const model = addModelFile(workspace.project, places, input.placeId);
      workspace.changes.touch('models');
      return model;
    }),
    forget: procedures.forget.handler(({ input }) => {
      forgetModelFile(workspace.project, places, input.modelId);
      workspace.changes.touch('models');
    }),
    card: procedures.card.handler(({ input: { runId, ...wanted } }) => {
      requireRun(workspace.project, runId);
      const { page, files } = planExport(workspace.project, runId, wanted);
      return { page, files: [...files] };
    }),
    export: procedures.export.handler(({ input: { runId, target, license, outPlaceId } }) => {
      requireRun(workspace.project, runId);
      const outDir = outPlaceId === undefined ? undefined : places.pathOf(outPlaceId);
      const job = workspace.queue.add({
        type: 'export',
        options: { runId, target, license, ...(outDir === undefined ? {} : { outDir }) },
      });
      return { jobId: job.id };
    }),
    exports: procedures.exports.handler(() => listExports(workspace.project, places)),
  };
}

/** @throws AppError `runs.missing` */
function requireRun(project: Project, runId: string): void {
  if (project.runs.get(runId) !== undefined) return;
  throw new AppError('runs.missing', 'This run is no longer in the project. Choose another.');
}
