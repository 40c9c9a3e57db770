import { setImmediate } from 'node:timers/promises';
import * as v from 'valibot';
import { openImageMask } from '../datasets/class-mask.ts';
import { imageFactsSchema } from '../datasets/image-facts.ts';
import { type ClassPicture, colorClasses, visibleColors } from '../datasets/mask-picture.ts';
import { fitInside } from '../datasets/picture-thumbnail.ts';
import { levelSize, tileSidePx } from '../datasets/picture-tiles.ts';
import { CPU } from '../graph/types.ts';
import { ByteCache } from '../lib/byte-cache.ts';
import { AppError, defined } from '../lib/errors.ts';
import type { Project } from '../project/project.ts';
import {
  classMapFolder,
  imageMapKey,
  readClassMap,
  readClassMapFacts,
  runModelKey,
} from './class-map.ts';
import type { LoadedModel } from './model-file.ts';
import { predictClassMap } from './preview.ts';
import { loadRunModel } from './run-model.ts';

/** Which picture: an image as a run's model sees it, or where that differs from its label. */
export interface PredictionRequest {
  readonly runId: string;
  readonly imageId: string;
  readonly what: 'prediction' | 'difference';
  readonly isOutline?: boolean;
}

/** The whole picture inside a square, or one square of it made smaller by 2^level. */
export type PredictionPart =
  { readonly sizePx: number } | { readonly level: number; readonly x: number; readonly y: number };

const bytesOf = ({ data }: ClassPicture): number => data.length;
const predictions = new ByteCache<ClassPicture>(200e6, bytesOf);
const differences = new ByteCache<ClassPicture>(100e6, bytesOf);

/** The one model that is held, by the key of its weights; looking at images changes it rarely. */
let held: { readonly key: string; readonly model: Promise<LoadedModel> } | undefined;
/** One prediction after the other, so that a model in use is not disposed. */
let queue: Promise<unknown> = Promise.resolve();

/** Where model and label disagree; seen well on dark and bright pictures. */
const disagreement = [{ classIndex: 1, color: '#ff8a1f' }];

/**
 * A transparent PNG over an image: the classes that a run's model finds, in their colors, or where
 * they differ from the label. The model predicts an image once; its class map stays in the cache.
 * @throws AppError `runs.no-model`, `masks.missing`, `images.*`, `disk.*`
 */
export async function predictionPicture(
  project: Project,
  request: PredictionRequest,
  part: PredictionPart,
): Promise<Uint8Array> {
  const isDifference = request.what === 'difference';
  const classes = isDifference
    ? await heldDifference(project, request)
    : await heldPrediction(project, request);
  const colors = isDifference ? disagreement : visibleColors(project);
  const isOutline = request.isOutline ?? false;
  if ('sizePx' in part) {
    const size = fitInside(classes, part.sizePx);
    return colorClasses(classes, { size, square: { left: 0, top: 0, ...size }, isOutline, colors });
  }
  const size = levelSize(classes, part.level);
  const [left, top] = [part.x * tileSidePx, part.y * tileSidePx];
  const square = {
    left,
    top,
    widthPx: Math.min(tileSidePx, size.widthPx - left),
    heightPx: Math.min(tileSidePx, size.heightPx - top),
  };
  return colorClasses(classes, { size, square, isOutline, colors });
}

/** @throws AppError `runs.no-model` */
function heldPrediction(project: Project, request: PredictionRequest): Promise<ClassPicture> {
  const image = defined(project.images.get(request.imageId), `image ${request.imageId}`);
  const modelKey = runModelKey(project, request.runId);
  if (modelKey === undefined) {
    throw new AppError('runs.no-model', 'The weights of this model are deleted or not there yet.');
  }
  const folder = classMapFolder(project, modelKey, imageMapKey(image));
  return predictions.get(folder, async () => {
    if (readClassMapFacts(folder)?.state !== 'complete') {
      await predicted(project, request, { modelKey, folder });
    }
    const { classMap, widthPx, heightPx } = await readClassMap(folder);
    return { data: classMap, widthPx, heightPx };
  });
}

function predicted(
  project: Project,
  { runId, imageId }: PredictionRequest,
  { modelKey, folder }: { readonly modelKey: string; readonly folder: string },
): Promise<unknown> {
  const work = queue.then(async () => {
    if (readClassMapFacts(folder)?.state === 'complete') return;
    const image = defined(project.images.get(imageId), `image ${imageId}`);
    const model = await heldModel(project, runId, modelKey);
    const facts = v.parse(imageFactsSchema, image.facts);
    await predictClassMap(considerate(model), project.images.pathOf(image), folder, { facts });
  });
  queue = work.catch(() => undefined); // whoever waits for it is told; the next one goes on
  return work;
}

async function heldModel(project: Project, runId: string, key: string): Promise<LoadedModel> {
  if (held?.key === key) return held.model;
  const before = held;
  held = undefined;
  if (before !== undefined) await (await before.model).dispose();
  const model = loadRunModel(project, runId, CPU);
  await model; // only what could be loaded is held
  held = { key, model };
  return model;
}

/** Lets other pictures through between two tiles: a network blocks its thread. */
function considerate(model: LoadedModel): LoadedModel {
  const { predictor } = model;
  return {
    ...model,
    predictor: {
      ...predictor,
      predict: async (tiles) => {
        await setImmediate();
        return predictor.predict(tiles);
      },
    },
  };
}

/** 1 where prediction and label differ, at the size of the label; ignored pixels never do. */
async function heldDifference(project: Project, request: PredictionRequest): Promise<ClassPicture> {
  const prediction = await heldPrediction(project, request);
  const mask = await openImageMask(project, request.imageId);
  if (mask === undefined) throw new AppError('masks.missing', 'This image has no mask yet.');
  const modelKey = runModelKey(project, request.runId);
  const revision = project.labels.get(request.imageId)?.revision;
  const key = JSON.stringify([modelKey, project.masks.get(request.imageId), revision]);
  return differences.get(key, async () => {
    const { widthPx, heightPx } = mask;
    const data = differing(prediction, await mask.readRows(0, heightPx), { widthPx, heightPx });
    return { data, widthPx, heightPx };
  });
}

/** Compares each labelled pixel with the nearest one of the prediction. */
export function differing(
  prediction: ClassPicture,
  labels: Uint8Array,
  { widthPx, heightPx }: Pick<ClassPicture, 'widthPx' | 'heightPx'>,
): Uint8Array {
  const result = new Uint8Array(labels.length);
  const place = (at: number, from: number, to: number): number =>
    Math.min(to - 1, Math.floor(((at + 0.5) * to) / from));
  for (let y = 0; y < heightPx; y++) {
    const row = place(y, heightPx, prediction.heightPx) * prediction.widthPx;
    for (let x = 0; x < widthPx; x++) {
      const label = labels[y * widthPx + x] ?? ignored;
      const found = prediction.data[row + place(x, widthPx, prediction.widthPx)] ?? ignored;
      result[y * widthPx + x] = label !== ignored && label !== found ? 1 : 0;
    }
  }
  return result;
}

const ignored = 255;
