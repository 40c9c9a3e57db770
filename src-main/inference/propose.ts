import * as v from 'valibot';
import { openImage } from '../datasets/decode.ts';
import { imageFactsSchema } from '../datasets/image-facts.ts';
import type { Device } from '../graph/types.ts';
import { AppError, throwIfCancelled } from '../lib/errors.ts';
import { countRuns, encodeRuns, labelTilePx, notLabelled, tileSize } from '../lib/label-runs.ts';
import { Pace } from '../lib/pace.ts';
import type { RunControl } from '../lib/progress.ts';
import type { ImageRow } from '../project/images.ts';
import type { StoredTile } from '../project/labels.ts';
import type { Project } from '../project/project.ts';
import type { LoadedModel } from './model-file.ts';
import { pictureRows } from './picture-rows.ts';
import { rescaleBands } from './rescale.ts';
import { loadRunModel } from './run-model.ts';
import { argmaxClasses, predictBands } from './tiles.ts';

export interface ProposeOptions {
  /** The fine-tuned run that labels. */
  readonly runId: string;
  readonly images:
    | { readonly type: 'chosen'; readonly imageIds: readonly string[] }
    /** The next images to label that nobody has touched and that this run has not labelled yet. */
    | { readonly type: 'next'; readonly count: number };
  readonly device: Device;
}

export interface ProposeSummary {
  readonly proposed: number;
  readonly skipped: number;
}

/**
 * Lets a fine-tuned run label images. What it finds is stored as a proposal of each image, until a
 * person accepts or rejects it; labels are not touched. Images that cannot be read are skipped.
 * @throws AppError `runs.no-model`, `labels.nothing-to-propose`; CancelledError
 */
export async function proposeLabels(
  project: Project,
  { runId, images: wanted, device }: ProposeOptions,
  control: RunControl,
): Promise<ProposeSummary> {
  const ids =
    wanted.type === 'chosen'
      ? wanted.imageIds
      : project.labelLists.untouchedImages(runId, wanted.count);
  const images = ids.flatMap((id) => project.images.get(id) ?? []);
  if (images.length === 0) {
    throw new AppError(
      'labels.nothing-to-propose',
      'This model has already labelled every image that is waiting. Decide on its proposals, or choose images.',
    );
  }
  const model = await loadRunModel(project, runId, device);
  const pace = new Pace();
  let [proposed, skipped] = [0, 0];
  try {
    for (const [done, image] of images.entries()) {
      throwIfCancelled(control.signal);
      if (control.requested() !== 'none') break;
      const remaining = pace.remaining(images.length - done);
      const ofAll = { phase: 'Proposing labels', total: images.length, unit: 'image' as const };
      control.report({
        ...ofAll,
        done,
        ...(remaining === undefined ? {} : { remainingSeconds: remaining }),
      });
      const started = performance.now();
      try {
        await proposeImage(project, { model, runId, image }, control.signal);
        proposed++;
      } catch (error) {
        if (!(error instanceof AppError) || error.code.startsWith('disk.')) throw error;
        skipped++;
        control.notice(`Skipped: ${error.message}`);
      }
      pace.add((performance.now() - started) / 1000);
    }
  } finally {
    await model.dispose();
  }
  return { proposed, skipped };
}

interface ImageTask {
  readonly model: Pick<LoadedModel, 'description' | 'predictor'>;
  readonly runId: string;
  readonly image: ImageRow;
}

async function proposeImage(
  project: Project,
  { model, runId, image }: ImageTask,
  signal: AbortSignal,
): Promise<void> {
  const { description, predictor } = model;
  const facts = v.parse(imageFactsSchema, image.facts);
  const picture = await openImage(project.images.pathOf(image), facts);
  const rows = pictureRows(picture, description.scale);
  const classCount = predictor.classCount;
  const tiles = new TileRows(image, valuesOfClasses(project, description.classes));
  const bands = predictBands(predictor, rows, { signal });
  let certainty = 0;
  for await (const band of rescaleBands(bands, { from: rows, to: image, classCount })) {
    const classes = new Uint8Array(band.rows * image.widthPx);
    argmaxClasses(band.probabilities, classCount, classes);
    certainty += sumOfHighest(band.probabilities, classes, classCount);
    tiles.add(classes);
  }
  project.labelProposals.put({
    imageId: image.id,
    runId,
    modelName: description.name,
    confidence: Math.min(1, certainty / (image.widthPx * image.heightPx)),
    valuePixels: tiles.valuePixels,
    tiles: tiles.finished,
  });
}

/** Label value of each class of a model, by name; classes that the project has no more are not. */
function valuesOfClasses(
  project: Project,
  classes: readonly { readonly name: string }[],
): Uint8Array {
  const values = new Map(project.classes.list().map(({ name, labelValue }) => [name, labelValue]));
  return Uint8Array.from(classes, ({ name }) => values.get(name) ?? notLabelled);
}

function sumOfHighest(
  probabilities: Float32Array,
  classes: Uint8Array,
  classCount: number,
): number {
  let sum = 0;
  for (let i = 0; i < classes.length; i++) {
    sum += probabilities[i * classCount + (classes[i] ?? 0)] ?? 0;
  }
  return sum;
}

/** Cuts rows of classes into label tiles as they come; one row of tiles is in memory. */
class TileRows {
  readonly finished: StoredTile[] = [];
  readonly #image: ImageRow;
  readonly #values: Uint8Array;
  readonly #rows: Uint8Array;
  readonly #pixels = new Map<number, number>();
  #filledPx = 0;
  #y = 0;

  constructor(image: ImageRow, values: Uint8Array) {
    this.#image = image;
    this.#values = values;
    this.#rows = new Uint8Array(labelTilePx * image.widthPx);
  }

  get valuePixels(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#pixels].filter(([value]) => value !== notLabelled));
  }

  /** The next rows, `[rows, widthPx]`. */
  add(classes: Uint8Array): void {
    const { widthPx } = this.#image;
    for (let from = 0; from < classes.length;) {
      const { heightPx } = tileSize(this.#image, 0, this.#y);
      const part = classes.subarray(from, from + heightPx * widthPx - this.#filledPx);
      this.#rows.set(part, this.#filledPx);
      this.#filledPx += part.length;
      from += part.length;
      if (this.#filledPx === heightPx * widthPx) this.#cut();
    }
  }

  #cut(): void {
    const y = this.#y++;
    this.#filledPx = 0;
    for (let x = 0; x * labelTilePx < this.#image.widthPx; x++) {
      const { widthPx, heightPx } = tileSize(this.#image, x, y);
      const pixels = new Uint8Array(widthPx * heightPx);
      for (let row = 0; row < heightPx; row++) {
        const from = row * this.#image.widthPx + x * labelTilePx;
        for (let column = 0; column < widthPx; column++) {
          const value = this.#values[this.#rows[from + column] ?? 0] ?? notLabelled;
          pixels[row * widthPx + column] = value;
        }
      }
      const runs = encodeRuns(pixels);
      for (const [value, count] of countRuns(runs, pixels.length)) {
        this.#pixels.set(value, (this.#pixels.get(value) ?? 0) + count);
      }
      this.finished.push({ x, y, runs });
    }
  }
}
