import * as v from 'valibot';
import { classValue, labelClass } from './classes.ts';
import { procedure } from './procedure.ts';
import { count, id, pageInput, share, shortText, time } from './values.ts';

/** Tile column and row; pixels of a tile are label-runs.ts' runs as text, row by row. */
const tilePlace = v.strictObject({ x: count, y: count });
const runs = v.pipe(v.string(), v.maxLength(180_000));
const tile = v.strictObject({ ...tilePlace.entries, runs });
export type LabelTile = Readonly<v.InferOutput<typeof tile>>;

/** `none`: nobody touched it; `started`: not used for training yet; `done`: counts as labelled. */
const labelState = v.picklist(['none', 'started', 'done']);
export type LabelState = v.InferOutput<typeof labelState>;

/** What the label began from. */
const labelSource = v.picklist(['empty', 'painted', 'mask', 'proposal']);
export type LabelSource = v.InferOutput<typeof labelSource>;

const strategy = v.picklist(['different', 'uncertain', 'spread']);
export type SuggestionStrategy = v.InferOutput<typeof strategy>;

/** What changes with every edit. */
const labelPosition = v.object({
  state: labelState,
  /** Edits that are applied; undo lowers it. */
  position: count,
  /** Grows with every change, undo included. */
  revision: count,
  canUndo: v.boolean(),
  canRedo: v.boolean(),
  /** Pixels by class value; values without a pixel are absent. */
  counts: v.array(v.object({ value: classValue, pixels: count })),
  notLabelledPixels: count,
});
export type LabelPosition = Readonly<v.InferOutput<typeof labelPosition>>;

const proposalFacts = v.object({
  /** The run that made it; null when it was deleted since. */
  runId: v.nullable(id),
  modelName: v.string(),
  state: v.picklist(['waiting', 'accepted', 'rejected']),
  /** Mean probability of the chosen classes. */
  confidence: share,
  createdAt: time,
  counts: v.array(v.object({ value: classValue, pixels: count })),
});
export type ProposalFacts = Readonly<v.InferOutput<typeof proposalFacts>>;

const suggestion = v.object({
  imageId: id,
  /** 1 is to be labelled first. */
  rank: count,
  score: v.number(),
  strategy,
  /** A sentence, e.g. "Most different from your 5 labelled images." */
  reason: v.string(),
});
export type Suggestion = Readonly<v.InferOutput<typeof suggestion>>;

const openLabel = v.object({
  imageId: id,
  name: v.string(),
  widthPx: count,
  heightPx: count,
  split: v.nullable(v.picklist(['train', 'val', 'test', 'unlabelled'])),
  group: v.nullable(v.string()),
  source: labelSource,
  /** Whether a person said that the label is right. */
  isConfirmed: v.boolean(),
  ...labelPosition.entries,
  classes: v.array(labelClass),
  proposal: v.nullable(proposalFacts),
  suggestion: v.nullable(suggestion),
});
export type OpenLabel = Readonly<v.InferOutput<typeof openLabel>>;

/**
 * The tiles that changed. When they are many (over 64) `runs` is absent: ask `labels.tiles` for those
 * in view.
 */
const changedTiles = v.array(v.object({ ...tilePlace.entries, runs: v.exactOptional(v.string()) }));
const editResult = v.object({ ...labelPosition.entries, changed: changedTiles });
export type EditResult = Readonly<v.InferOutput<typeof editResult>>;

const listed = v.object({
  imageId: id,
  name: v.string(),
  widthPx: count,
  heightPx: count,
  split: v.nullable(v.picklist(['train', 'val', 'test', 'unlabelled'])),
  state: labelState,
  source: labelSource,
  isConfirmed: v.boolean(),
  changedAt: v.nullable(time),
  proposal: v.nullable(v.picklist(['waiting', 'accepted', 'rejected'])),
  suggestion: v.nullable(suggestion),
});
export type ListedLabel = Readonly<v.InferOutput<typeof listed>>;

const target = v.object({ share, images: count, isReached: v.boolean() });

const progress = v.object({
  /** Usable images. */
  images: count,
  done: count,
  started: count,
  proposals: count,
  /** Shares of the images to label: 5, 10 and 25 %. */
  targets: v.array(target),
  splits: v.object({ train: count, val: count, test: count }),
  /** The images of the newest suggestions that are not labelled yet; 0 before the first job. */
  suggested: count,
});
export type LabelProgress = Readonly<v.InferOutput<typeof progress>>;

const jobStarted = v.object({ jobId: id });

export const labelsContract = {
  open: procedure.input(v.strictObject({ imageId: id })).output(openLabel),
  /** Pixels of tiles: of the label, or of the waiting proposal. Border tiles are smaller. */
  tiles: procedure
    .input(
      v.strictObject({
        imageId: id,
        layer: v.optional(v.picklist(['label', 'proposal']), 'label'),
        tiles: v.pipe(v.array(tilePlace), v.maxLength(64)),
      }),
    )
    .output(v.array(tile)),
  /**
   * Stores the new content of tiles. A stroke may be stored in pieces with the same `strokeId` (at
   * least every 500 ms): all of them are one step of undo, until a piece `isFinal`.
   */
  commit: procedure
    .input(
      v.strictObject({
        imageId: id,
        edit: v.strictObject({
          tool: v.pipe(v.string(), v.regex(/^[a-z-]{1,30}$/)),
          strokeId: id,
          isFinal: v.boolean(),
          tiles: v.pipe(v.array(tile), v.maxLength(2048)),
        }),
      }),
    )
    .output(labelPosition),
  undo: procedure.input(v.strictObject({ imageId: id })).output(editResult),
  redo: procedure.input(v.strictObject({ imageId: id })).output(editResult),
  /** Gives everything that is not labelled yet to a class, as one step of undo. */
  fillRest: procedure.input(v.strictObject({ imageId: id, value: classValue })).output(editResult),
  /** `done` makes the image count as labelled and gives it its part (train, val or test). */
  setState: procedure
    .input(v.strictObject({ imageId: id, state: v.picklist(['started', 'done']) }))
    .output(openLabel),

  /** `next`: not labelled, in the order of the suggestions. */
  list: procedure
    .input(
      v.strictObject({
        show: v.picklist(['labelled', 'started', 'proposals', 'next', 'all']),
        search: v.optional(shortText, ''),
        ...pageInput,
      }),
    )
    .output(v.object({ total: count, items: v.array(listed) })),
  progress: procedure.output(progress),

  /** The image to label next, and why; null when all are labelled. */
  next: procedure
    .input(
      v.strictObject({
        /** Not this one, e.g. the open image. */
        except: v.optional(id),
        strategy: v.optional(strategy),
      }),
    )
    .output(v.nullable(suggestion)),
  /** Starts the job that ranks the images that are not labelled. `auto` takes the best possible. */
  suggest: procedure
    .input(
      v.strictObject({
        strategy: v.optional(v.picklist(['auto', ...strategy.options]), 'auto'),
        /** The pre-trained or fine-tuned run to ask; the newest one when absent. */
        runId: v.optional(id),
      }),
    )
    .output(jobStarted),

  /** Starts the job that lets a fine-tuned run label images: those given, or the next ones. */
  propose: procedure
    .input(
      v.strictObject({
        runId: id,
        images: v.variant('type', [
          v.strictObject({
            type: v.literal('chosen'),
            imageIds: v.pipe(v.array(id), v.minLength(1), v.maxLength(500)),
          }),
          v.strictObject({
            type: v.literal('next'),
            count: v.pipe(count, v.minValue(1), v.maxValue(500)),
          }),
        ]),
      }),
    )
    .output(jobStarted),
  /** Makes the waiting proposal the label, as one step of undo. Painted pixels stay when asked. */
  acceptProposal: procedure
    .input(v.strictObject({ imageId: id, keepPainted: v.optional(v.boolean(), true) }))
    .output(editResult),
  /** The decision is kept: the same run does not propose this image again by itself. */
  rejectProposal: procedure.input(v.strictObject({ imageId: id })),
};
