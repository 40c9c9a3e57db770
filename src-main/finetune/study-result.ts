import * as v from 'valibot';
import { defined } from '../lib/errors.ts';
import { Random } from '../lib/random.ts';
import type { Project } from '../project/project.ts';
import { starts } from '../project/values.ts';
import type { StudyCell } from '../project/studies.ts';
import { readImageScores } from './image-scores.ts';
import {
  drawResamples,
  estimateDifference,
  estimateScore,
  type Resamples,
  type ScoredCell,
  type StudyMetric,
  verdictOf,
} from './intervals.ts';
import { addCounts, type ClassCounts, type ImageCounts } from './metrics.ts';
import { finetuneResultSchema } from './result.ts';
import { verdictSentence } from './study-text.ts';

const list = <T extends v.GenericSchema>(item: T) => v.pipe(v.array(item), v.readonly());

const estimateSchema = v.object({
  mean: v.number(),
  interval: v.nullable(v.pipe(v.tuple([v.number(), v.number()]), v.readonly())),
  perSeed: list(v.number()),
});

/** One start against random weights, paired by seed and test image. */
const comparisonSchema = v.object({
  start: v.picklist(starts),
  difference: estimateSchema,
  verdict: v.picklist(['helped', 'no clear difference', 'hurt']),
});
export type Comparison = Readonly<v.InferOutput<typeof comparisonSchema>>;

const fractionSchema = v.object({
  fraction: v.number(),
  /** Labelled images that were trained on, per seed the same number. */
  trainImages: v.number(),
  /** The networks of each start. */
  starts: list(
    v.object({
      start: v.picklist(starts),
      seeds: list(v.number()),
      meanIou: estimateSchema,
      meanDice: estimateSchema,
    }),
  ),
  comparisons: list(comparisonSchema),
  /** The verdict in one sentence. */
  sentence: v.string(),
});
export type FractionResult = Readonly<v.InferOutput<typeof fractionSchema>>;

/** The table of a study, from the cells that are done; as it is stored. */
export const studyResultSchema = v.object({
  metric: v.picklist(['meanIou', 'meanDice']),
  measuredOn: v.picklist(['test', 'val']),
  heldOutImages: v.number(),
  /** Groups of images that belong together; they are resampled as one. */
  heldOutGroups: v.number(),
  cellsDone: v.number(),
  cells: v.number(),
  fractions: list(fractionSchema),
});
export type StudyResult = Readonly<v.InferOutput<typeof studyResultSchema>>;

/** Bootstrap draws: enough for a standard error that is good to about 2 %. */
const draws = 1000;

/** Computes the table of a study; the same cells give the same numbers. */
export function studyResult(
  project: Project,
  studyId: string,
  { metric }: { readonly metric: StudyMetric },
) {
  const all = project.studies.cells(studyId);
  const cells = all
    .filter(({ status }) => status === 'done')
    .map((cell) => loadCell(project, cell));
  const first = defined(cells[0], 'a finished cell');
  const groupOf = groupKeys(project, first.images);
  const groups = [...new Set(groupOf.values())];
  const resamples = drawResamples(groups.length, draws, new Random(0));
  const fractions = [...new Set(cells.map(({ cell }) => cell.fraction))].sort((a, b) => a - b);
  return {
    metric,
    measuredOn: first.measuredOn,
    heldOutImages: first.images.length,
    heldOutGroups: groups.length,
    cellsDone: cells.length,
    cells: all.length,
    fractions: fractions.map((fraction) =>
      fractionResult(
        cells.filter(({ cell }) => cell.fraction === fraction),
        { metric, resamples, groups, groupOf },
      ),
    ),
  } satisfies StudyResult;
}

interface LoadedCell {
  readonly cell: StudyCell;
  readonly measuredOn: 'test' | 'val';
  readonly trainImages: number;
  readonly images: readonly ImageCounts[];
}

function loadCell(project: Project, cell: StudyCell): LoadedCell {
  const run = defined(project.runs.get(cell.runId ?? ''), 'the run of a finished cell');
  const result = v.parse(finetuneResultSchema, run.result);
  const scores = readImageScores(project.path(result.imageScores));
  const measuredOn = result.test === null ? 'val' : 'test';
  return { cell, measuredOn, trainImages: result.trainImages, images: scores[measuredOn] };
}

/** Group of each image; an image without a group is one of its own. */
function groupKeys(project: Project, images: readonly ImageCounts[]): Map<string, string> {
  return new Map(
    images.map(({ imageId }) => [imageId, project.images.get(imageId)?.groupKey ?? imageId]),
  );
}

interface Resampling {
  readonly metric: StudyMetric;
  readonly resamples: Resamples;
  readonly groups: readonly string[];
  readonly groupOf: ReadonlyMap<string, string>;
}

function fractionResult(cells: readonly LoadedCell[], resampling: Resampling): FractionResult {
  const { metric, resamples } = resampling;
  const first = defined(cells[0], 'a cell');
  const scored = Map.groupBy(cells, ({ cell }) => cell.start);
  // The baseline first, in the tables and charts as well.
  const byStart = new Map(
    starts.flatMap((start) => {
      const list = scored.get(start) ?? [];
      const own = list.map((cell) => scoredCell(cell, resampling));
      return list.length === 0 ? [] : [[start, own] as const];
    }),
  );
  const baseline = byStart.get('random') ?? [];
  const comparisons = [...byStart].flatMap(([start, own]): Comparison[] => {
    const difference = estimateDifference(own, baseline, metric, resamples);
    if (start === 'random' || difference.perSeed.length === 0) return [];
    return [{ start, difference, verdict: verdictOf(difference) }];
  });
  const result = {
    fraction: first.cell.fraction,
    trainImages: first.trainImages,
    starts: [...byStart].map(([start, own]) => ({
      start,
      seeds: own.map(({ seed }) => seed),
      meanIou: estimateScore(own, 'meanIou', resamples),
      meanDice: estimateScore(own, 'meanDice', resamples),
    })),
    comparisons,
  };
  return { ...result, sentence: verdictSentence(result, metric) };
}

/** Counts added up within groups, in the order of the groups. */
function scoredCell({ cell, images }: LoadedCell, { groups, groupOf }: Resampling): ScoredCell {
  const classCount = images[0]?.truePositive.length ?? 0;
  const byGroup = Map.groupBy(images, ({ imageId }) => groupOf.get(imageId));
  return {
    seed: cell.seed,
    groups: groups.map((group): ClassCounts => addCounts(byGroup.get(group) ?? [], classCount)),
  };
}
