import * as v from 'valibot';

/** What the rows of jobs hold as their options, by type of job. Paths are absolute. */

export const trainingOptionsSchema = v.object({
  /** A device's name, or `auto`. */
  device: v.optional(v.string(), 'auto'),
});

export const predictOptionsSchema = v.object({
  /** The run whose model predicts, or a model file. */
  model: v.variant('type', [
    v.object({ type: v.literal('run'), runId: v.string() }),
    v.object({ type: v.literal('file'), path: v.string() }),
  ]),
  device: v.optional(v.string(), 'auto'),
  inputs: v.array(v.string()),
  outDir: v.string(),
  names: v.exactOptional(v.string()),
  overlays: v.exactOptional(v.boolean()),
  probabilities: v.exactOptional(v.picklist(['none', '8bit', 'float32'])),
  existing: v.exactOptional(v.picklist(['refuse', 'replace', 'keep'])),
});
export type PredictJobOptions = Readonly<v.InferOutput<typeof predictOptionsSchema>>;

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

export const importOptionsSchema = v.object({
  imagesPath: v.string(),
  masksPath: v.exactOptional(v.string()),
  maskFormat: v.exactOptional(v.picklist(['index', 'palette', 'rgb', 'coco'])),
  classesFile: v.exactOptional(v.string()),
  splitFile: v.exactOptional(v.string()),
  groupBy: v.exactOptional(
    v.variant('type', [
      v.object({ type: v.literal('folder') }),
      v.object({ type: v.literal('pattern'), pattern: v.string() }),
    ]),
  ),
  splitShares: v.exactOptional(v.object({ train: share, val: share, test: share })),
  seed: v.exactOptional(v.number()),
});
