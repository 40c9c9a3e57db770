import * as v from 'valibot';
import { procedure } from './procedure.ts';
import { count, id, pageInput, place, share, shortText, time } from './values.ts';

const range = v.object({ min: v.number(), median: v.number(), max: v.number() });
const tally = v.record(v.string(), count);
const hexColor = v.pipe(v.string(), v.regex(/^#[0-9a-f]{6}$/i));

const folder = v.object({
  id,
  place,
  /** False when the folder is gone or its disk is not connected. */
  isThere: v.boolean(),
  usable: count,
  /** Set aside: unreadable, gone or the same as another. */
  skipped: count,
  /** Masks or a COCO file found with the images and not imported yet. */
  foundLabels: v.nullable(place),
  /** Where its imported masks came from. */
  labels: v.nullable(place),
});
export type ImageFolder = Readonly<v.InferOutput<typeof folder>>;

const fingerprint = v.object({
  images: count,
  labelled: count,
  duplicates: count,
  groups: count,
  splits: v.object({ train: count, val: count, test: count, unlabelled: count, unused: count }),
  formats: tally,
  channels: tally,
  bitDepths: tally,
  widthPx: range,
  heightPx: range,
  /** 8-bit levels as training sees them. */
  intensity: v.object({ low: v.number(), mean: v.number(), high: v.number() }),
  classes: v.array(
    v.object({
      index: count,
      name: v.string(),
      color: v.string(),
      pixels: v.number(),
      share: v.number(),
      images: count,
      isRare: v.boolean(),
    }),
  ),
  warnings: v.array(v.string()),
});
export type Fingerprint = Readonly<v.InferOutput<typeof fingerprint>>;

const overview = v.object({
  folders: v.array(folder),
  /** Null before the first import has ended. */
  fingerprint: v.nullable(fingerprint),
  /** Of the import that ended last. */
  last: v.nullable(
    v.object({
      at: time,
      found: count,
      usable: count,
      skipped: count,
      unchanged: count,
      otherFiles: count,
      seconds: v.number(),
    }),
  ),
  problems: v.object({ skipped: count, notices: count }),
});
export type ImportOverview = Readonly<v.InferOutput<typeof overview>>;

const effect = v.picklist(['skipped', 'notice']);

const problemKind = v.object({
  code: v.string(),
  /** What is the matter, e.g. "Damaged files". */
  title: v.string(),
  /** What the user can do. */
  advice: v.string(),
  effect,
  count,
});
export type ProblemKind = Readonly<v.InferOutput<typeof problemKind>>;

const problem = v.object({ path: v.string(), message: v.string() });
export type Problem = Readonly<v.InferOutput<typeof problem>>;

const pictured = v.object({ id, name: v.string(), folder: v.string() });
const duplicate = v.object({ copy: pictured, kept: v.nullable(pictured) });
export type Duplicate = Readonly<v.InferOutput<typeof duplicate>>;

const position = v.pipe(count, v.maxValue(31));

/** How images are put into groups that are never divided. */
const grouping = v.variant('type', [
  v.strictObject({ type: v.literal('none') }),
  /** As stored now, e.g. from a groups.json. */
  v.strictObject({ type: v.literal('kept') }),
  v.strictObject({ type: v.literal('folder') }),
  /** Pieces of the folders or of the file name, from the first to the last one. */
  v.strictObject({
    type: v.literal('pieces'),
    where: v.picklist(['folder', 'name']),
    from: position,
    to: position,
  }),
  v.strictObject({ type: v.literal('pattern'), pattern: shortText }),
]);
export type Grouping = Readonly<v.InferOutput<typeof grouping>>;

const splitInput = v.strictObject({
  grouping,
  shares: v.strictObject({ train: share, val: share, test: share }),
  seed: v.pipe(count, v.maxValue(0xffffffff)),
});
export type SplitInput = Readonly<v.InferOutput<typeof splitInput>>;

const leaks = v.object({
  /** Validation and test images that share a group or a file with an image that is learned from. */
  leaking: count,
  /** All validation and test images. */
  heldOut: count,
});
export type LeakScore = Readonly<v.InferOutput<typeof leaks>>;

const pieces = v.object({
  where: v.picklist(['folder', 'name']),
  position,
  /** Different values among the names looked at. */
  values: count,
  /** Share of the names that have this piece. */
  present: share,
  examples: v.array(v.string()),
});
export type NamePiece = Readonly<v.InferOutput<typeof pieces>>;

const grouped = v.object({
  /** The choice that is in force. */
  current: splitInput,
  source: v.nullable(v.picklist(['file', 'seed', 'chosen'])),
  /** Models were trained already: their scores are of the parts as they were. */
  hasModels: v.boolean(),
  pieces: v.array(pieces),
  /** What most likely names the patient, slide or site; null when nothing does. */
  suggested: v.nullable(grouping),
  /** A few names, cut into their pieces: separators stand between them. */
  names: v.array(
    v.object({
      path: v.string(),
      parts: v.array(
        v.object({
          text: v.string(),
          where: v.nullable(v.picklist(['folder', 'name'])),
          position,
        }),
      ),
    }),
  ),
});
export type GroupChoices = Readonly<v.InferOutput<typeof grouped>>;

const preview = v.object({
  images: count,
  labelled: count,
  groups: count,
  /** Images that are a group of their own, because nothing in their name says otherwise. */
  alone: count,
  largest: v.nullable(v.object({ name: v.string(), images: count })),
  /** Labelled images by part. */
  splits: v.object({ train: count, val: count, test: count }),
  unlabelled: count,
  /** Unlabelled images of a held-out group, used for nothing. */
  unused: count,
  /** If the images were divided this way, and as they are divided now, seen by these groups. */
  leaks,
  leaksNow: leaks,
  /** A few groups with some of their names, the largest first. */
  examples: v.array(
    v.object({
      group: v.string(),
      images: count,
      part: v.nullable(v.picklist(['train', 'val', 'test', 'unlabelled'])),
      names: v.array(v.string()),
    }),
  ),
});
export type SplitPreview = Readonly<v.InferOutput<typeof preview>>;

const maskKind = v.picklist(['index', 'palette', 'rgb', 'coco']);
const maskValue = v.pipe(count, v.maxValue(0xffffff));

const survey = v.object({
  name: v.string(),
  kind: v.picklist(['files', 'coco']),
  /** Images of the folder that the masks belong to, masks found, and pairs of the two. */
  images: count,
  masks: count,
  matched: count,
  lookedAt: count,
  proposedBy: v.picklist(['file', 'earlier', 'values']),
  classes: v.array(v.object({ name: v.string(), color: v.string() })),
  /** The first classes are in use by drawn labels and keep their place. */
  lockedClasses: count,
  values: v.array(
    v.object({
      /** Unique among the values. */
      key: count,
      kind: maskKind,
      value: maskValue,
      name: v.string(),
      color: v.string(),
      pixels: v.number(),
      masks: count,
      /** Null is ignored, undefined not yet decided. */
      classIndex: v.exactOptional(v.nullable(count)),
    }),
  ),
  /** Values between the classes, as smoothing and JPEG leave them. */
  soft: v.object({ values: count, pixels: v.number(), masks: count }),
  samples: v.array(v.object({ imageId: id, name: v.string(), widthPx: count, heightPx: count })),
  unlabelledImages: v.object({ count, names: v.array(v.string()) }),
  strayMasks: v.object({ count, names: v.array(v.string()) }),
  problems: v.object({ count, rows: v.array(problem) }),
});
export type MaskSurvey = Readonly<v.InferOutput<typeof survey>>;

const maskChoice = v.strictObject({
  /** The survey that was shown. */
  jobId: id,
  classes: v.pipe(
    v.array(v.strictObject({ name: v.pipe(shortText, v.minLength(1)), color: hexColor })),
    v.minLength(1),
    v.maxLength(255),
  ),
  assignments: v.pipe(
    v.array(v.strictObject({ kind: maskKind, value: maskValue, classIndex: v.nullable(count) })),
    v.minLength(1),
    v.maxLength(2048),
  ),
  /** Masks with values that were given no class are refused, or those pixels are ignored. */
  otherValues: v.picklist(['refuse', 'ignore']),
});
export type MaskChoice = Readonly<v.InferOutput<typeof maskChoice>>;

const started = v.object({ jobId: id });

/** The step Images: what comes in, how it is understood, grouped and labelled by files. */
export const importContract = {
  overview: procedure.output(overview),
  /** Imports folders, one after the other in one job. Labels found with them are only noted. */
  start: procedure
    .input(v.strictObject({ placeIds: v.pipe(v.array(id), v.minLength(1), v.maxLength(50)) }))
    .output(started),
  /** Reads every folder again: only what is new or changed is opened. */
  lookAgain: procedure.output(started),
  /** Takes a folder with its images and labels out of the project; its files stay. */
  removeFolder: procedure.input(v.strictObject({ folderId: id })).output(started),
  problemKinds: procedure.output(v.array(problemKind)),
  problems: procedure
    .input(v.strictObject({ ...pageInput, code: shortText }))
    .output(v.object({ total: count, rows: v.array(problem) })),
  /** The same list as a CSV file in the project's folder; null when there was no import yet. */
  problemsFile: procedure.output(v.nullable(place)),
  duplicates: procedure
    .input(v.strictObject(pageInput))
    .output(v.object({ total: count, rows: v.array(duplicate) })),
  groupChoices: procedure.output(grouped),
  previewSplit: procedure.input(splitInput).output(preview),
  applySplit: procedure.input(splitInput).output(started),
  /** Of the images as they are divided now. */
  leaks: procedure.output(leaks),
  /** Looks at a folder of masks or a COCO file; the result is a survey. */
  surveyMasks: procedure.input(v.strictObject({ placeId: id })).output(started),
  survey: procedure.input(v.strictObject({ jobId: id })).output(v.nullable(survey)),
  acceptMasks: procedure.input(maskChoice).output(started),
};
