import * as v from 'valibot';
import { openImageMask } from '../datasets/class-mask.ts';
import { openImage } from '../datasets/decode.ts';
import { fractionSubset } from '../datasets/fractions.ts';
import { labelRevision } from '../datasets/label-revision.ts';
import { imageFactsSchema } from '../datasets/image-facts.ts';
import { ignoredClass } from '../datasets/tile-cache.ts';
import { buildTileCache } from '../datasets/tile-cache-build.ts';
import { pictureRows } from '../inference/picture-rows.ts';
import { AppError, defined } from '../lib/errors.ts';
import type { RunControl } from '../lib/progress.ts';
import { Random } from '../lib/random.ts';
import type { Project } from '../project/project.ts';
import type { FinetuneConfig } from './config.ts';
import type { LabelledImage, OpenLabelledImage } from './evaluate.ts';
import type { TrainingTiles } from './step.ts';

/** The images that a run sees, and how they are read. Whoever opened it disposes it. */
export interface FinetuneData {
  readonly classCount: number;
  /** Tiles of the labelled training images of the run's fraction. */
  readonly tiles: TrainingTiles;
  readonly trainIds: readonly string[];
  readonly valIds: readonly string[];
  readonly testIds: readonly string[];
  /** Validation images of the quick estimates. */
  readonly quickIds: readonly string[];
  /** Names the labels that the training tiles were cut from. */
  readonly labelRevision: string;
  /** Whether any label is another one now; held-out labels are read when they are needed. */
  readonly hasNewLabels: () => boolean;
  readonly open: OpenLabelledImage;
  dispose(): void;
}

/**
 * Chooses the run's labelled images and decodes the training part into tiles. Held-out images are
 * read whole from their files when they are scored.
 * @throws AppError `splits.no-training-images`, `finetune.one-class`, `images.*`; CancelledError
 */
export async function openFinetuneData(
  project: Project,
  config: FinetuneConfig,
  control: RunControl,
): Promise<FinetuneData> {
  const trainIds = fractionSubset(project, config.fraction, config.seed);
  const classCount = project.classes.list().length;
  if (classCount < 2) {
    throw new AppError(
      'finetune.one-class',
      'Segmentation needs at least two classes, e.g. background and nucleus. Import masks with more classes.',
    );
  }
  const [valIds, testIds] = [heldOut(project, 'val'), heldOut(project, 'test')];
  if (valIds.length === 0) {
    control.notice(
      'No validation image has a mask, so the best moment of the training cannot be chosen; the last weights are kept.',
    );
  }
  const usedIds = [...trainIds, ...valIds, ...testIds];
  const revision = labelRevision(project, usedIds);
  const tiles = await buildTileCache(
    project,
    { imageIds: trainIds, tileSizePx: config.tilePx, scale: config.scale, masks: true },
    { signal: control.signal, onProgress: (progress) => control.report(progress) },
  );
  const shuffled = new Random(config.seed).fork('quick estimate').shuffled(valIds);
  return {
    classCount,
    tiles,
    trainIds,
    valIds,
    testIds,
    quickIds: shuffled.slice(0, config.evaluationImages),
    labelRevision: revision,
    hasNewLabels: () => labelRevision(project, usedIds) !== revision,
    open: (imageId) => openLabelledImage(project, imageId, { scale: config.scale, classCount }),
    dispose: () => tiles.dispose(),
  };
}

function heldOut(project: Project, split: 'val' | 'test'): string[] {
  return project.images.list({ split, status: 'usable', hasMask: true }).map(({ id }) => id);
}

async function openLabelledImage(
  project: Project,
  imageId: string,
  { scale, classCount }: { readonly scale: number; readonly classCount: number },
): Promise<LabelledImage> {
  const image = defined(project.images.get(imageId), `image ${imageId}`);
  const labels = defined(await openImageMask(project, imageId), `mask of image ${imageId}`);
  const facts = v.parse(imageFactsSchema, image.facts);
  return {
    picture: pictureRows(await openImage(project.images.pathOf(image), facts), scale),
    widthPx: labels.widthPx,
    heightPx: labels.heightPx,
    // A class that was added while the network is trained is none of its outputs.
    readLabels: async (topPx, rows) =>
      (await labels.readRows(topPx, rows)).map((index) =>
        index < classCount ? index : ignoredClass,
      ),
  };
}
