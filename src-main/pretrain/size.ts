import { decoderOutputs, encoderChannels, encoderShape, expansion } from '../nn/config.ts';
import type { MethodConfig, PretrainConfig } from './config.ts';
import { lossLevels } from './levels.ts';

const bytesPerValue = 4;

/** One convolution or linear layer: its weights, and at how many places of a crop they are used. */
interface Layer {
  readonly weights: number;
  readonly places: number;
  /** Copied to a teacher that follows; predictors are the student's alone. */
  readonly hasTeacher: boolean;
}

/**
 * Bytes of the whole training state (student, teacher, optimizer), counted from the settings so that
 * no network has to be made for it. Biases and norms are left out: under 1 % of it.
 */
export function stateBytes(config: PretrainConfig): number {
  const student = sum(config, ({ weights }) => weights) + prototypeValues(config);
  const teacher =
    sum(config, ({ weights, hasTeacher }) => (hasTeacher ? weights : 0)) + prototypeValues(config);
  const buffers = config.optimizer === 'adamw' ? 2 : 1;
  return bytesPerValue * (student * (1 + buffers) + teacher);
}

/** Bytes of what a finished run keeps besides its checkpoint: the teacher's encoder and decoder. */
export function modelBytes(config: MethodConfig): number {
  const layers = [...encoderLayers(config, 0), ...decoderLayers(config, 0)];
  return bytesPerValue * layers.reduce((total, { weights }) => total + weights, 0);
}

/**
 * Multiplications and additions of one step: two views, forward of student and teacher, and twice a
 * forward pass for the gradients.
 */
export function stepOperations(config: PretrainConfig): number {
  const student = sum(config, ({ weights, places }) => weights * places);
  const teacher = sum(config, ({ weights, places, hasTeacher }) =>
    hasTeacher ? weights * places : 0,
  );
  return 2 * 2 * config.batchSize * (3 * student + teacher);
}

type NetworkSettings = Pick<
  MethodConfig,
  'encoder' | 'decoder' | 'decoderChannels' | 'fcnForm' | 'levels'
>;

/** Weights of encoder and decoder, and multiplications of one forward pass of one crop. */
export function networkSize(
  config: NetworkSettings,
  cropPx: number,
): { readonly weights: number; readonly products: number } {
  const layers = [...encoderLayers(config, cropPx), ...decoderLayers(config, cropPx)];
  return {
    weights: layers.reduce((total, { weights }) => total + weights, 0),
    products: layers.reduce((total, { weights, places }) => total + weights * places, 0),
  };
}

function sum(config: PretrainConfig, value: (layer: Layer) => number): number {
  const layers = [
    ...encoderLayers(config, config.cropPx),
    ...decoderLayers(config, config.cropPx),
    ...headLayers(config, config.cropPx),
  ];
  return layers.reduce((total, layer) => total + value(layer), 0);
}

function prototypeValues(config: MethodConfig): number {
  return lossLevels(config).reduce((total, { prototypes }) => total + prototypes * config.dim, 0);
}

function encoderLayers(config: NetworkSettings, cropPx: number): readonly Layer[] {
  const shape = encoderShape(config.encoder);
  const layer = (weights: number, sidePx: number): Layer => ({
    weights,
    places: sidePx ** 2,
    hasTeacher: true,
  });
  const layers = [layer(3 * 49 * shape.width, cropPx / 2)];
  let inputs = shape.width;
  encoderChannels(shape).forEach((outputs, stage) => {
    const side = mapSide(cropPx, stage);
    const inner = outputs / expansion(shape);
    for (let block = 0; block < (shape.depths[stage] ?? 0); block++) {
      const convolutions =
        shape.block === 'bottleneck'
          ? [inputs * inner, 9 * inner * inner, inner * outputs]
          : [9 * inputs * inner, 9 * inner * inner];
      layers.push(...convolutions.map((weights) => layer(weights, side)));
      if (inputs !== outputs) layers.push(layer(inputs * outputs, side));
      inputs = outputs;
    }
  });
  return layers;
}

function decoderLayers(config: NetworkSettings, cropPx: number): readonly Layer[] {
  const channels = config.decoderChannels;
  const inputs = encoderChannels(encoderShape(config.encoder));
  const layer = (weights: number, stage: number): Layer => ({
    weights,
    places: mapSide(cropPx, stage) ** 2,
    hasTeacher: true,
  });
  switch (config.decoder) {
    case 'none':
      return [];
    case 'fcn':
      return [layer(9 * inputs[3] * channels, 3), layer(9 * channels * channels, 3)];
    case 'fpn': {
      const outputs = Array.from({ length: decoderOutputs(config) }, (_, stage) => stage);
      return [
        ...inputs.map((width, stage) => layer(width * channels, stage)),
        ...outputs.map((stage) => layer(9 * channels * channels, stage)),
      ];
    }
  }
}

/** Projectors see every pixel of their map, predictors every slot of it that is present. */
function headLayers(config: MethodConfig, cropPx: number): readonly Layer[] {
  return lossLevels(config).flatMap((level) => {
    const isCoarse = level.output < 0 || config.decoder === 'fcn';
    const pixels = mapSide(cropPx, isCoarse ? 3 : level.output) ** 2;
    const inside = level.hidden * level.hidden + level.hidden * config.dim;
    return [
      { weights: level.channels * level.hidden + inside, places: pixels, hasTeacher: true },
      {
        weights: config.dim * level.hidden + inside,
        places: Math.min(level.prototypes, pixels),
        hasTeacher: false,
      },
    ];
  });
}

/** Side of the feature map of stage 0 (stride 4) to 3 (stride 32). */
function mapSide(cropPx: number, stage: number): number {
  return cropPx / (4 * 2 ** stage);
}
