import * as v from 'valibot';
import { sizeOf } from '../graph/shapes.ts';
import type { TensorSpec } from '../graph/types.ts';
import { colorMapLength, writeColorMap, writeIdentityColorMap } from '../lib/color-map.ts';
import type { ColorOperation } from '../lib/color-map.ts';
import type { Random } from '../lib/random.ts';
import { writeBlurMatrix, writeCropMatrix } from '../lib/resample.ts';
import { mirrored, overlapCoordinates, sampleBoxes } from './boxes.ts';
import type { Box, Coordinates } from './boxes.ts';

const probability = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const strength = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

/** How the two views of an image are drawn. Defaults: SlotCon, released code. */
export const augmentationSchema = v.strictObject({
  /** Smallest share of the image that a crop covers. */
  minArea: v.optional(v.pipe(v.number(), v.minValue(0.01), v.maxValue(1)), 0.08),
  mirror: v.optional(probability, 0.5),
  colorJitter: v.optional(probability, 0.8),
  brightness: v.optional(strength, 0.4),
  contrast: v.optional(strength, 0.4),
  saturation: v.optional(strength, 0.2),
  hue: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(0.5)), 0.1),
  grayscale: v.optional(probability, 0.2),
  /** Probability in view 1 and in view 2; sigma is uniform in [0.1, 2] pixels of the crop. */
  blur: v.optional(v.tuple([probability, probability]), [1, 0.1]),
  solarize: v.optional(v.tuple([probability, probability]), [0, 0.2]),
});
export type AugmentationConfig = v.InferOutput<typeof augmentationSchema>;

/** Sizes of a batch: images, side of the square source tile, side of the square crop. */
export interface ViewSize {
  readonly batch: number;
  readonly tileSizePx: number;
  readonly cropSizePx: number;
}

/** Colour operations before the hue shift (3), after it (3), and greyscale: at most one each. */
export const colorStages = 7;

/**
 * The step's inputs that describe two views of every image. Rows of the first dimension of
 * matrices are view 1 of all images, then view 2 of all images. `views.color` holds the
 * colour maps of all stages, `views.tone` the hue turn and the solarize flag. Coordinates
 * [x1, y1, x2, y2] of the overlap and mirror flags are given per view for the loss.
 */
export function viewSpecs({ batch, tileSizePx, cropSizePx }: ViewSize) {
  const spec = (...shape: number[]): TensorSpec => ({ shape, dtype: 'float32' });
  return {
    'views.rows': spec(2 * batch, cropSizePx, tileSizePx),
    'views.columns': spec(2 * batch, cropSizePx, tileSizePx),
    'views.blur': spec(2 * batch, cropSizePx, cropSizePx),
    'views.color': spec(colorStages, 2 * batch, 3, 4),
    'views.tone': spec(2 * batch, 2),
    'views.coords1': spec(batch, 4),
    'views.coords2': spec(batch, 4),
    'views.flip1': spec(batch),
    'views.flip2': spec(batch),
  };
}

export type ViewInputName = keyof ReturnType<typeof viewSpecs>;
export type ViewInputs = Readonly<Record<ViewInputName, Float32Array>>;

/** Arrays for `viewSpecs`, to be filled again for every step. */
export function createViewInputs(size: ViewSize): ViewInputs {
  const specs = viewSpecs(size);
  const array = (name: ViewInputName): Float32Array => new Float32Array(sizeOf(specs[name].shape));
  return {
    'views.rows': array('views.rows'),
    'views.columns': array('views.columns'),
    'views.blur': array('views.blur'),
    'views.color': array('views.color'),
    'views.tone': array('views.tone'),
    'views.coords1': array('views.coords1'),
    'views.coords2': array('views.coords2'),
    'views.flip1': array('views.flip1'),
    'views.flip2': array('views.flip2'),
  };
}

/** One view as it was drawn. */
export interface DrawnView {
  readonly box: Box;
  /** Where the other view's crop lies in this one, after mirroring. */
  readonly overlap: Coordinates;
  readonly isMirrored: boolean;
}

/**
 * Draws both views of every image of a batch and writes them to `target`. `valid` gives the part
 * of each tile that is image and not padding, from its top left corner, in pixels.
 * @returns view 1 and view 2 of every image
 */
export function sampleViews(
  random: Random,
  size: ViewSize,
  config: AugmentationConfig,
  valid: readonly { readonly heightPx: number; readonly widthPx: number }[],
  target: ViewInputs,
): readonly (readonly DrawnView[])[] {
  return valid.map((part, image) => {
    const boxes = sampleBoxes(random, part, config.minArea);
    const [first, second] = boxes;
    const flips = boxes.map(() => random.chance(config.mirror));
    const coordinates = [overlapCoordinates(first, second), overlapCoordinates(second, first)];
    return boxes.map((box, view) => {
      const flip = flips[view] === true;
      const own = coordinates[view] ?? [0, 0, 1, 1];
      const index = view * size.batch + image;
      writeGeometry(target, size, index, box, flip);
      writePhotometry(random, target, size, index, view, config);
      const overlap = flip ? mirrored(own) : own;
      target[view === 0 ? 'views.coords1' : 'views.coords2'].set(overlap, image * 4);
      target[view === 0 ? 'views.flip1' : 'views.flip2'][image] = flip ? 1 : 0;
      return { box, overlap, isMirrored: flip };
    });
  });
}

function writeGeometry(
  target: ViewInputs,
  { tileSizePx, cropSizePx }: ViewSize,
  index: number,
  box: Box,
  flip: boolean,
): void {
  const offset = index * cropSizePx * tileSizePx;
  const axis = { outputSize: cropSizePx, inputSize: tileSizePx, filter: 'bicubic' as const };
  const vertical = { start: box.top, length: box.height, mirrored: false };
  const horizontal = { start: box.left, length: box.width, mirrored: flip };
  writeCropMatrix(target['views.rows'], offset, { ...axis, ...vertical });
  writeCropMatrix(target['views.columns'], offset, { ...axis, ...horizontal });
}

/** Colour jitter in random order, greyscale, blur and solarize of one view. */
function writePhotometry(
  random: Random,
  target: ViewInputs,
  { batch, cropSizePx }: ViewSize,
  index: number,
  view: number,
  config: AugmentationConfig,
): void {
  const colors = target['views.color'];
  const stageOffset = (stage: number): number => (stage * 2 * batch + index) * colorMapLength;
  for (let stage = 0; stage < colorStages; stage++) {
    writeIdentityColorMap(colors, stageOffset(stage));
  }
  let turns = 0;
  if (random.chance(config.colorJitter)) {
    let stage = 0;
    for (const operation of random.shuffled(jitterOperations)) {
      const range = config[operation];
      if (operation === 'hue') {
        // Pillow counts the hue in 255 steps and truncates the shift.
        turns = Math.trunc(255 * random.uniform(-range, range)) / 255;
        stage = hueStage;
      } else {
        const factor = random.uniform(1 - range, 1 + range);
        writeColorMap(colors, stageOffset(stage++), operation, factor);
      }
    }
  }
  if (random.chance(config.grayscale)) {
    writeColorMap(colors, stageOffset(colorStages - 1), 'saturation', 0);
  }
  const blurred = random.chance(config.blur[view] ?? 0);
  const sigma = blurred ? random.uniform(0.1, 2) : 0;
  writeBlurMatrix(target['views.blur'], index * cropSizePx * cropSizePx, cropSizePx, sigma);
  target['views.tone'][2 * index] = turns;
  target['views.tone'][2 * index + 1] = random.chance(config.solarize[view] ?? 0) ? 1 : 0;
}

/** Colour maps with a smaller index act before the hue shift. */
export const hueStage = 3;

const jitterOperations: readonly (ColorOperation | 'hue')[] = [
  'brightness',
  'contrast',
  'saturation',
  'hue',
];
