import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openImage } from '../datasets/decode.ts';
import { encodePicture } from '../datasets/encode.ts';
import { AppError } from '../lib/errors.ts';
import { writeFileAtomic } from '../lib/files.ts';
import type { RunControl } from '../lib/progress.ts';
import type { ModelClass } from './classes.ts';
import { findInputs } from './find-inputs.ts';
import { modelClasses } from './model-description.ts';
import type { LoadedModel } from './model-file.ts';
import { type InputFile, type NamedInput, planOutputNames } from './output-names.ts';
import { maskName, outputPaths } from './output-paths.ts';
import { pictureRows } from './picture-rows.ts';
import { AreaTable, writeLegend, writeSummary } from './predict-summary.ts';
import { type ProbabilityBand, rescaleBands } from './rescale.ts';
import { type BandSink, MaskSink, OverlaySink, ProbabilitySink } from './sinks.ts';
import { type PredictedBand, predictBands, type RowReader } from './tiles.ts';

export interface PredictOptions {
  /**
   * Picture files and folders, which are searched with everything below them; or files that are
   * named by a path of their own.
   */
  readonly inputs: readonly (string | InputFile)[];
  readonly outDir: string;
  /** See `planOutputNames`; default `{path}`. */
  readonly names?: string;
  /** Default true. */
  readonly overlays?: boolean;
  /** Of an overlay's fill, 0..1; default 0.35. */
  readonly overlayOpacity?: number;
  readonly overlayFormat?: 'jpg' | 'png';
  /** Larger overlays are scaled down by a whole factor; default 4096. */
  readonly overlayMaxPx?: number;
  /** One map a class: `8bit` PNG (255 = certain) or `float32` TIFF; default `none`. */
  readonly probabilities?: 'none' | '8bit' | 'float32';
  readonly overlapPx?: number;
  /** When a mask is already there: refuse before starting, write anew, or leave it; default refuse. */
  readonly existing?: 'refuse' | 'replace' | 'keep';
  /** Side of a pixel in micrometers; the table of areas has square micrometers too, then. */
  readonly pixelSizeUm?: number;
}

export interface PredictedFile {
  /** Path below the folder that was named. */
  readonly input: string;
  readonly widthPx: number;
  readonly heightPx: number;
  /** Files below `outDir`, with `/`. */
  readonly mask: string;
  readonly overlay?: string;
  readonly probabilities: readonly string[];
  /** Pixels of each class, in the model's order. */
  readonly classPixels: readonly number[];
}

export interface SkippedFile {
  readonly input: string;
  readonly code: string;
  readonly message: string;
}

export interface PredictSummary {
  readonly predicted: readonly PredictedFile[];
  readonly skipped: readonly SkippedFile[];
  /** Pictures whose mask was already there and was left. */
  readonly kept: number;
  /** True when the user stopped before the last picture. */
  readonly stopped: boolean;
  readonly seconds: number;
}

/**
 * Predicts pictures with a model: indexed-color masks, overlays and probability maps, each picture
 * streamed in bands. A picture that cannot be read is reported and skipped. Beside the outputs:
 * `classes.txt` and `classes.json` (what the values mean), `areas.csv`, `predictions.json`.
 * @throws AppError `predict.no-pictures`, `predict.exists`, `predict.names`, `disk.*`; CancelledError
 */
export async function predictFolder(
  model: Pick<LoadedModel, 'description' | 'predictor'>,
  options: PredictOptions,
  control: RunControl,
): Promise<PredictSummary> {
  const started = performance.now();
  const { files, problems } = await findInputs(options.inputs, {
    outDir: options.outDir,
    signal: control.signal,
  });
  const skipped: SkippedFile[] = [...problems];
  const plan = planOutputNames(files, options.names ?? '{path}', model.description.name);
  plan.warnings.forEach((warning) => control.notice(warning));
  const isThere = (input: NamedInput): boolean => existsSync(join(options.outDir, maskName(input)));
  const existing = options.existing ?? 'refuse';
  if (existing === 'refuse') refuseExisting(plan.inputs.filter(isThere), options.outDir);
  const inputs = existing === 'keep' ? plan.inputs.filter((input) => !isThere(input)) : plan.inputs;

  makeFolder(options.outDir);
  const classes = modelClasses(model.description);
  writeLegend(options.outDir, classes);
  const areas = new AreaTable(options.outDir, classes, {
    isContinued: existing === 'keep',
    pixelSizeUm: options.pixelSizeUm,
  });
  const predicted: PredictedFile[] = [];
  let stopped = false;
  for (const [index, input] of inputs.entries()) {
    stopped = control.requested() !== 'none';
    if (stopped) break;
    const onTiles = progressOf(control, { index, count: inputs.length, started });
    try {
      const file = await predictFile(model, input, { ...options, signal: control.signal, onTiles });
      areas.add(file);
      predicted.push(file);
    } catch (error) {
      if (!(error instanceof AppError) || error.code.startsWith('disk.')) throw error;
      skipped.push({ input: input.relPath, code: error.code, message: error.message });
      control.notice(`Skipped: ${error.message}`);
    }
  }
  const summary = {
    predicted,
    skipped,
    kept: plan.inputs.length - inputs.length,
    stopped,
    seconds: (performance.now() - started) / 1000,
  };
  writeSummary(options.outDir, model.description, summary);
  return summary;
}

type FileOptions = PredictOptions & {
  readonly signal: AbortSignal;
  readonly onTiles: (done: number, total: number) => void;
};

async function predictFile(
  model: Pick<LoadedModel, 'description' | 'predictor'>,
  input: NamedInput,
  options: FileOptions,
): Promise<PredictedFile> {
  const picture = await openImage(input.path);
  const rows = pictureRows(picture, model.description.scale);
  const classes = modelClasses(model.description);
  const size = { widthPx: picture.widthPx, heightPx: picture.heightPx };
  const outputs = outputPaths(input, classes, options);
  const place = (name: string): string => outputPath(options.outDir, name);
  const mask = new MaskSink(place(outputs.mask), size, classes);
  const sinks: BandSink<ProbabilityBand>[] = [mask];
  const overlay =
    outputs.overlay === undefined
      ? undefined
      : overlaySink(rows, classes, options, place(outputs.overlay));
  try {
    if (options.probabilities !== undefined && options.probabilities !== 'none') {
      for (const [classIndex, name] of outputs.probabilities.entries()) {
        sinks.push(
          new ProbabilitySink(place(name), size, { classIndex, format: options.probabilities }),
        );
      }
    }
    const bands = predictBands(model.predictor, rows, options);
    const sizes = { from: rows, to: size, classCount: classes.length };
    for await (const band of rescaleBands(passedTo(overlay, bands), sizes)) {
      for (const sink of sinks) await sink.write(band);
    }
    for (const sink of [...sinks, ...(overlay === undefined ? [] : [overlay])]) await sink.finish();
  } finally {
    sinks.forEach((sink) => sink.dispose());
    overlay?.dispose();
  }
  return { input: input.relPath, ...size, ...outputs, classPixels: mask.classPixels };
}

function overlaySink(
  rows: RowReader,
  classes: readonly ModelClass[],
  options: PredictOptions,
  path: string,
): OverlaySink {
  return new OverlaySink(rows, classes, {
    opacity: options.overlayOpacity ?? 0.35,
    maxSidePx: options.overlayMaxPx ?? 4096,
    save: async (image) => {
      writeFileAtomic(path, [await encodePicture(image, options.overlayFormat ?? 'jpg')]);
    },
  });
}

/** Hands each band to the sink before it goes on. */
async function* passedTo(
  sink: BandSink<PredictedBand> | undefined,
  bands: AsyncIterable<PredictedBand>,
): AsyncGenerator<PredictedBand, void, void> {
  for await (const band of bands) {
    await sink?.write(band);
    yield band;
  }
}

function outputPath(outDir: string, name: string): string {
  const path = join(outDir, name);
  makeFolder(dirname(path));
  return path;
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new AppError(
      'disk.write-failed',
      `The folder ${path} could not be made. Choose another output folder.`,
      { cause },
    );
  }
}

function refuseExisting(inputs: readonly NamedInput[], outDir: string): void {
  const [first] = inputs;
  if (first === undefined) return;
  throw new AppError(
    'predict.exists',
    `${outDir} already holds ${inputs.length} of these masks, e.g. ${maskName(first)}. Choose another folder, or say whether to replace or to keep them.`,
  );
}

function progressOf(
  control: RunControl,
  place: { readonly index: number; readonly count: number; readonly started: number },
): (done: number, total: number) => void {
  return (done, total) => {
    const share = (place.index + done / total) / place.count;
    const remaining = ((performance.now() - place.started) / 1000) * (1 / share - 1);
    const single = place.count === 1;
    control.report({
      phase: 'Predicting',
      done: single ? done : place.index + Math.floor(done / total),
      total: single ? total : place.count,
      unit: single ? 'tile' : 'image',
      remainingSeconds: [remaining * 0.8, remaining * 1.3],
      values: { tilesDone: done, tilesTotal: total },
    });
  };
}
