import * as v from 'valibot';
import { openImage, type ImageReader } from '../datasets/decode.ts';
import { imageFactsSchema } from '../datasets/image-facts.ts';
import { farthestFirst, standardize, type Point } from '../datasets/ranking.ts';
import type { Device } from '../graph/types.ts';
import { AppError, throwIfCancelled } from '../lib/errors.ts';
import { Pace } from '../lib/pace.ts';
import type { RunControl } from '../lib/progress.ts';
import { Random } from '../lib/random.ts';
import type { ImageRow } from '../project/images.ts';
import type { SuggestionRow, SuggestionStrategy } from '../project/label-suggestions.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import { openFeatures, weightsFile } from './image-features.ts';
import { loadRunModel } from './run-model.ts';
import { uncertaintyOf } from './uncertainty.ts';

export interface SuggestOptions {
  /** `auto`: what can be done best with the runs there are. */
  readonly strategy: 'auto' | SuggestionStrategy;
  /** The run to ask; the newest fitting one when absent. */
  readonly runId?: string;
  /** Asked for only when a network is used. */
  readonly openDevice: () => Promise<Device>;
}

export interface SuggestSummary {
  readonly strategy: SuggestionStrategy;
  /** Images without a label that were looked at, of so many. */
  readonly looked: number;
  readonly unlabelled: number;
  readonly suggested: number;
  readonly secondsPerImage: number;
}

/** More images than this are sampled: the best 500 of 2,000 are as good, and wait minutes, not hours. */
const maxCandidates = 2000;
const maxKnown = 300;
const maxSuggestions = 500;

/**
 * Ranks images by what their labels would teach and replaces the earlier ranking: those that a
 * fine-tuned model is least sure about, those that look most different from the labelled ones to a
 * pre-trained encoder, or, without any network, those whose group and brightness are missing most.
 * @throws AppError `labels.nothing-to-suggest`, `runs.*`; CancelledError
 */
export async function suggestImages(
  project: Project,
  options: SuggestOptions,
  control: RunControl,
): Promise<SuggestSummary> {
  const started = performance.now();
  const unlabelled = project.labelLists.unlabelledImages();
  if (unlabelled.length === 0) {
    throw new AppError('labels.nothing-to-suggest', 'Every image is labelled; nothing is left.');
  }
  const candidates = sampled(unlabelled, maxCandidates);
  const known = sampled(
    project.labelLists.labelledImages().map(({ id }) => id),
    maxKnown,
  );
  if (candidates.length < unlabelled.length) {
    control.notice(
      `A sample of ${candidates.length} of ${unlabelled.length} images is compared; it is drawn evenly at random.`,
    );
  }
  const { strategy, run } = choose(project, options);
  const task = { project, candidates, known, control, openDevice: options.openDevice };
  const ranking =
    strategy === 'spread' || run === undefined
      ? spreadRanking(task)
      : strategy === 'different'
        ? await differentRanking(task, run)
        : await uncertainRanking(task, run);
  const rows = ranking
    .slice(0, maxSuggestions)
    .map((entry, i) => ({ ...entry, strategy, rank: i + 1 }));
  project.labelSuggestions.replaceAll(rows);
  const looked = candidates.length + (strategy === 'different' ? known.length : 0);
  return {
    strategy,
    looked: candidates.length,
    unlabelled: unlabelled.length,
    suggested: rows.length,
    secondsPerImage: (performance.now() - started) / 1000 / looked,
  };
}

interface Task {
  readonly project: Project;
  readonly candidates: readonly string[];
  /** Labelled images. */
  readonly known: readonly string[];
  readonly control: RunControl;
  readonly openDevice: () => Promise<Device>;
}

type Ranked = Pick<SuggestionRow, 'imageId' | 'score' | 'reason'>;

/** @throws AppError `runs.no-weights` when the wanted strategy needs a run that is not there */
function choose(
  project: Project,
  { strategy, runId }: SuggestOptions,
): { readonly strategy: SuggestionStrategy; readonly run: RunRow | undefined } {
  const trained = project.runs
    .list()
    .filter(({ id }) => weightsFile(project, id) !== undefined)
    .toReversed();
  const asked = trained.find(({ id }) => id === runId);
  const fits = (kind: RunRow['kind']) =>
    asked?.kind === kind ? asked : trained.find((run) => run.kind === kind);
  const finetuned = fits('finetune');
  const pretrained = fits('pretrain') ?? finetuned;
  if (strategy === 'spread') return { strategy, run: undefined };
  const byAsked = asked?.kind === 'pretrain' ? 'different' : 'uncertain';
  const wanted = strategy === 'auto' && asked !== undefined ? byAsked : strategy;
  if (wanted !== 'different' && finetuned !== undefined) {
    return { strategy: 'uncertain', run: finetuned };
  }
  if (wanted !== 'uncertain' && pretrained !== undefined) {
    return { strategy: 'different', run: pretrained };
  }
  if (wanted === 'auto') return { strategy: 'spread', run: undefined };
  throw new AppError(
    'runs.no-weights',
    wanted === 'uncertain'
      ? 'There is no fine-tuned model yet that could be unsure. Train one in Study first.'
      : 'There is no trained network yet to compare images with. Pre-train one first.',
  );
}

async function uncertainRanking(task: Task, run: RunRow): Promise<Ranked[]> {
  const model = await loadRunModel(task.project, run.id, await task.openDevice());
  try {
    const scored = await lookAt(task, task.candidates, (picture) => uncertaintyOf(model, picture));
    return scored
      .sort((a, b) => b.value - a.value)
      .map(({ imageId, value }) => ({
        imageId,
        score: value,
        reason: `The model "${run.name}" is unsure here: ${value.toFixed(2)} of 1.`,
      }));
  } finally {
    await model.dispose();
  }
}

async function differentRanking(task: Task, run: RunRow): Promise<Ranked[]> {
  const features = await openFeatures(task.project, run, await task.openDevice());
  try {
    const known = await lookAt(task, task.known, (picture) => features.read(picture));
    const found = await lookAt(task, task.candidates, (picture) => features.read(picture));
    return ranked(
      found.map(({ imageId }) => imageId),
      found.map(({ value }) => value),
      known.map(({ value }) => value),
    );
  } finally {
    await features.dispose();
  }
}

/** Brightness, contrast and size stand for the picture; one image of each group before a second. */
function spreadRanking({ project, candidates, known }: Task): Ranked[] {
  const rowsOf = (ids: readonly string[]) => ids.flatMap((id) => project.images.get(id) ?? []);
  const [images, labelled] = [rowsOf(candidates), rowsOf(known)];
  const points = images.map(plainFacts);
  const knownPoints = labelled.map(plainFacts);
  standardize([...points, ...knownPoints]);
  const byPlace = ranked(
    images.map(({ id }) => id),
    points,
    knownPoints,
    { count: Infinity, aspect: ' in brightness, contrast and size' },
  );
  const groupOf = new Map(images.map(({ id, groupKey }) => [id, groupKey]));
  const counts = new Map<string, number>();
  const count = (group: string) => counts.set(group, (counts.get(group) ?? 0) + 1);
  for (const { groupKey } of labelled) if (groupKey !== null) count(groupKey);
  return byPlace
    .map((entry) => {
      const group = groupOf.get(entry.imageId) ?? null;
      if (group === null) return { entry, turn: 0 };
      const turn = counts.get(group) ?? 0;
      count(group);
      const reason = turn === 0 ? `The group "${group}" has no label yet.` : entry.reason;
      return { entry: { ...entry, reason }, turn };
    })
    .sort((a, b) => a.turn - b.turn)
    .map(({ entry }) => entry);
}

function plainFacts({ facts, widthPx, heightPx }: ImageRow): Point {
  const { low, mean, high } = v.parse(imageFactsSchema, facts).intensity;
  return Float32Array.of(mean, high - low, Math.log(widthPx * heightPx));
}

interface RankingText {
  readonly count: number;
  /** In what images are compared, for the sentence. */
  readonly aspect: string;
}

function ranked(
  ids: readonly string[],
  points: readonly Point[],
  known: readonly Point[],
  { count, aspect }: RankingText = { count: maxSuggestions, aspect: '' },
): Ranked[] {
  const labelled =
    known.length === 1 ? 'your labelled image' : `your ${known.length} labelled images`;
  return farthestFirst(points, known, count).flatMap(({ index, distance }, place) => {
    const imageId = ids[index];
    if (imageId === undefined) return [];
    const isTypical = known.length === 0 && place === 0;
    const reason = isTypical
      ? `The most typical of your images${aspect}.`
      : known.length === 0
        ? `Different${aspect} from the images suggested before it.`
        : place === 0
          ? `Most different${aspect} from ${labelled}.`
          : `Different${aspect} from ${labelled} and from those suggested before it.`;
    return [{ imageId, score: distance, reason }];
  });
}

/** Opens images one by one; those that cannot be read are left out with a notice. */
async function lookAt<T>(
  { project, control }: Task,
  ids: readonly string[],
  look: (picture: ImageReader) => Promise<T>,
): Promise<{ readonly imageId: string; readonly value: T }[]> {
  const found: { readonly imageId: string; readonly value: T }[] = [];
  const pace = new Pace();
  for (const [done, imageId] of ids.entries()) {
    throwIfCancelled(control.signal);
    const remaining = pace.remaining(ids.length - done);
    control.report({
      phase: 'Looking at images',
      done,
      total: ids.length,
      unit: 'image',
      ...(remaining === undefined ? {} : { remainingSeconds: remaining }),
    });
    const started = performance.now();
    const image = project.images.get(imageId);
    if (image === undefined) continue;
    try {
      const facts = v.parse(imageFactsSchema, image.facts);
      const picture = await openImage(project.images.pathOf(image), facts);
      found.push({ imageId, value: await look(picture) });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      control.notice(`Skipped: ${error.message}`);
    }
    pace.add((performance.now() - started) / 1000);
  }
  return found;
}

/** All of a short list; of a long one an even sample, the same every time. */
function sampled(ids: readonly string[], count: number): readonly string[] {
  if (ids.length <= count) return ids;
  return new Random(0).fork('suggestions').shuffled(ids).slice(0, count);
}
