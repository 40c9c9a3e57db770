import type { AreaRow } from '../../contract/use.ts';
import { classMapFolder, mappedImages, readClassMapFacts } from '../../inference/class-map.ts';
import { areasHead, areasRow, writeAreas } from '../../inference/predict-summary.ts';
import { listBatches, planBatch, startBatch } from '../use/batches.ts';
import { findModel, modelCacheKey } from '../use/catalog.ts';
import { ChosenInputs } from '../use/inputs.ts';
import { Previews } from '../use/previews.ts';
import type { Workspace } from '../workspace.ts';
import { implementation } from './base.ts';

export function predictionsService(workspace: Workspace) {
  const { places } = workspace;
  const procedures = implementation.predictions;
  const inputs = new ChosenInputs(places, () => workspace.changes.touch('predictions'));
  const previews = new Previews(workspace);
  return {
    choose: procedures.choose.handler(({ input }) => {
      if (input.source === 'project') inputs.chooseImages(input.split);
      else inputs.choosePlaces(input.placeIds.map((placeId) => places.pathOf(placeId)));
    }),
    inputs: procedures.inputs.handler(({ input: { offset, limit, modelId } }) => {
      const { project } = workspace;
      const modelKey = modelId === null ? undefined : modelCacheKey(project, places, modelId);
      return {
        ...inputs.summary(project),
        items: inputs.page(project, offset, limit).map(({ key, ...item }) => ({
          ...item,
          state:
            key === undefined || modelKey === undefined
              ? ('none' as const)
              : (readClassMapFacts(classMapFolder(project, modelKey, key))?.state ?? 'none'),
        })),
      };
    }),
    show: procedures.show.handler(({ input: { modelIds, inputIds, again } }) => {
      previews.show(modelIds, inputIds, again);
      workspace.changes.touch('predictions');
    }),
    stop: procedures.stop.handler(() => {
      previews.stop();
      workspace.changes.touch('predictions');
    }),
    watch: procedures.watch.handler(({ input: { modelId, inputId }, signal }) =>
      previews.watch(modelId, inputId, signal),
    ),
    areas: procedures.areas.handler(({ input: { modelId, offset, limit } }) => {
      const rows = areasOf(workspace, inputs, modelId);
      const { classes } = findModel(workspace.project, places, modelId);
      const totals = classes.map((_, i) =>
        rows.reduce((sum, { classPixels }) => sum + (classPixels[i] ?? 0), 0),
      );
      return { rows: rows.slice(offset, offset + limit), predicted: rows.length, totals };
    }),
    saveAreas: procedures.saveAreas.handler(({ input: { modelId, outPlaceId, pixelSizeUm } }) => {
      const { classes } = findModel(workspace.project, places, modelId);
      const rows = areasOf(workspace, inputs, modelId);
      const hasSizes = pixelSizeUm !== undefined || rows.some((row) => row.pixelSizeUm !== null);
      const lines = rows.map((row) =>
        areasRow(
          { ...row, input: row.name },
          hasSizes ? (pixelSizeUm ?? row.pixelSizeUm) : undefined,
        ),
      );
      const folder = places.pathOf(outPlaceId);
      return places.add(writeAreas(folder, [areasHead(classes, hasSizes), ...lines]));
    }),
    planBatch: procedures.planBatch.handler(({ input }) => planBatch(workspace, inputs, input)),
    startBatch: procedures.startBatch.handler(({ input }) => {
      const job = startBatch(workspace, inputs, input);
      workspace.changes.touch('predictions');
      return { jobId: job.id };
    }),
    batches: procedures.batches.handler(() => listBatches(workspace.project, places)),
  };
}

/** Areas of the chosen images that a model has predicted, by path. */
function areasOf(workspace: Workspace, inputs: ChosenInputs, modelId: string): AreaRow[] {
  const { project, places } = workspace;
  const modelKey = modelCacheKey(project, places, modelId);
  return mappedImages(project, modelKey)
    .flatMap((key): AreaRow[] => {
      const facts = readClassMapFacts(classMapFolder(project, modelKey, key));
      const input = inputs.byKey(project, key);
      if (facts?.state !== 'complete' || input === undefined) return [];
      const { widthPx, heightPx, classPixels, pixelSizeUm } = facts;
      const { inputId, relPath } = input;
      return [{ inputId, name: relPath, widthPx, heightPx, classPixels, pixelSizeUm }];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
