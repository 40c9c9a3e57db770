import type { HostTensors } from '../graph/types.ts';
import { rescaleBands } from '../inference/rescale.ts';
import type { SegmentationPredictor } from '../inference/segmentation.ts';
import {
  argmaxClasses,
  predictBands,
  type RowReader,
  type TilePredictor,
} from '../inference/tiles.ts';
import {
  addConfusion,
  classCounts,
  type Confusion,
  countPixels,
  createConfusion,
  type ImageCounts,
  type SegmentationScores,
  segmentationScores,
} from './metrics.ts';

/** A held-out image and its labels, both read from top to bottom. */
export interface LabelledImage {
  /** The picture at the scale that the network works on. */
  readonly picture: RowReader;
  /** Size of the labels: that of the original picture. */
  readonly widthPx: number;
  readonly heightPx: number;
  /** Class indices, [rows, widthPx]; 255 is ignored. */
  readLabels(topPx: number, rows: number): Promise<Uint8Array>;
}

/** Opens a held-out image. */
export type OpenLabelledImage = (imageId: string) => Promise<LabelledImage>;

/** Scores over whole images, the counts behind them, and which class was taken for which. */
export interface Evaluation {
  readonly scores: SegmentationScores;
  /** [truth, predicted] pixels, row-major, over the whole set. */
  readonly confusion: readonly number[];
  readonly images: readonly ImageCounts[];
}

export interface EvaluateOptions {
  readonly params: HostTensors;
  readonly imageIds: readonly string[];
  readonly open: OpenLabelledImage;
  readonly signal?: AbortSignal;
  readonly onImage?: (done: number, total: number) => void;
}

/**
 * Predicts whole images by blended tiles, as `predict` does, brings the result to the size of the
 * labels and counts every labelled pixel once. Memory does not grow with the height of an image.
 */
export async function evaluate(
  predictor: SegmentationPredictor,
  { params, imageIds, open, signal, onImage }: EvaluateOptions,
): Promise<Evaluation> {
  const network = predictor.withParams(params);
  const total = createConfusion(network.classCount);
  const images: ImageCounts[] = [];
  for (const imageId of imageIds) {
    const confusion = await confusionOf(network, await open(imageId), signal);
    addConfusion(total, confusion);
    images.push({ imageId, confusion: [...confusion.counts], ...classCounts(confusion) });
    onImage?.(images.length, imageIds.length);
  }
  return { scores: segmentationScores(classCounts(total)), confusion: [...total.counts], images };
}

async function confusionOf(
  network: TilePredictor,
  image: LabelledImage,
  signal: AbortSignal | undefined,
): Promise<Confusion> {
  const { classCount } = network;
  const confusion = createConfusion(classCount);
  const bands = predictBands(network, image.picture, signal === undefined ? {} : { signal });
  const sizes = { from: image.picture, to: image, classCount };
  for await (const { probabilities, topPx, rows } of rescaleBands(bands, sizes)) {
    const predicted = new Uint8Array(rows * image.widthPx);
    argmaxClasses(probabilities, classCount, predicted);
    countPixels(confusion, predicted, await image.readLabels(topPx, rows));
  }
  return confusion;
}
