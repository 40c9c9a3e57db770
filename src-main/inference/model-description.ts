import * as v from 'valibot';
import { AppError, messageOf } from '../lib/errors.ts';
import { SegmentationConfigSchema } from '../nn/config.ts';
import type { ModelClass } from './classes.ts';

/** Version of what a model file says about itself. A released version stays readable for good. */
export const modelFormatVersion = 1;

/** Keys of the text pairs in an ONNX file. */
export const metadataKeys = {
  version: 'decon_format_version',
  description: 'decon_model',
} as const;

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const classScoreSchema = v.object({
  name: v.string(),
  /** Absent when the class has no example in the scored images. */
  dice: v.optional(v.number()),
  iou: v.optional(v.number()),
});

const modelDescriptionSchema = v.object({
  name: v.string(),
  classes: v.pipe(
    v.array(v.object({ index: count, name: v.string(), color: v.string() })),
    v.minLength(1),
  ),
  /** Side of the square the network takes. */
  tileSizePx: v.pipe(count, v.minValue(1)),
  /** Pictures are brought to this scale before they are cut into tiles. */
  scale: v.pipe(v.number(), v.gtValue(0), v.maxValue(1)),
  network: SegmentationConfigSchema,
  provenance: v.object({
    /** Of DeCon Studio. */
    appVersion: v.string(),
    /** ISO 8601. */
    createdAt: v.string(),
    runId: v.optional(v.string()),
    runName: v.optional(v.string()),
    /** What the weights started from, e.g. `encoder+decoder of pretrain-1`. */
    start: v.optional(v.string()),
    seed: v.optional(v.number()),
    trainingImages: v.optional(count),
    /** Unlabelled images the start was pre-trained on. */
    pretrainingImages: v.optional(count),
    /** The resolved settings of the run. */
    config: v.optional(v.record(v.string(), v.unknown())),
  }),
  /** On whole images that were used for nothing else. */
  scores: v.optional(
    v.object({
      split: v.string(),
      images: count,
      meanIou: v.optional(v.number()),
      meanDice: v.optional(v.number()),
      pixelAccuracy: v.optional(v.number()),
      classes: v.array(classScoreSchema),
    }),
  ),
  /** Of the weights; the user's to fill in. */
  license: v.string(),
});

/** Everything a model file says about itself. */
export type ModelDescription = Readonly<v.InferOutput<typeof modelDescriptionSchema>>;

/**
 * The text pairs to store in an ONNX file: one machine-readable pair with its version, and a few for
 * people who look into the file with other tools.
 */
export function describeModel(model: ModelDescription): Readonly<Record<string, string>> {
  return {
    [metadataKeys.version]: String(modelFormatVersion),
    [metadataKeys.description]: JSON.stringify(model),
    usage:
      `input "image": uint8 [1, ${model.tileSizePx}, ${model.tileSizePx}, 3], RGB 0..255, ` +
      'normalization is inside; output "probabilities": float32, one channel a class',
    classes: model.classes.map(({ index, name }) => `${index} ${name}`).join('; '),
    license: model.license,
  };
}

/**
 * Reads the text pairs of a model file.
 * @throws AppError `model.foreign`, `model.newer-version`, `model.damaged`
 */
export function parseDescription(
  metadata: Readonly<Record<string, string>> | undefined,
  file: string,
): ModelDescription {
  const version = metadata?.[metadataKeys.version];
  const text = metadata?.[metadataKeys.description];
  if (version === undefined || text === undefined) {
    throw new AppError(
      'model.foreign',
      `${file} is not a model of DeCon Studio. Choose an ONNX file written by "decon export".`,
    );
  }
  if (Number(version) > modelFormatVersion) {
    throw new AppError(
      'model.newer-version',
      `${file} was written by a newer DeCon Studio (format ${version}). Update DeCon Studio to use it.`,
    );
  }
  try {
    const read: unknown = JSON.parse(text);
    return v.parse(modelDescriptionSchema, read);
  } catch (cause) {
    throw new AppError(
      'model.damaged',
      `The description inside ${file} cannot be read (${messageOf(cause)}). Export the model again.`,
      { cause },
    );
  }
}

/** The model's classes in the order of its output channels. */
export function modelClasses(model: ModelDescription): readonly ModelClass[] {
  return [...model.classes].sort((a, b) => a.index - b.index);
}
