import { decoderOutputs, encoderChannels, encoderShape, expansion } from '../nn/config.ts';
import type { PretrainConfig } from './config.ts';
import { stateBytes } from './size.ts';
import { lossLevels } from './levels.ts';

const bytesPerValue = 4;

/** The program itself, its libraries and the graph. Measured. */
const baseBytes = 300e6;

/** The state goes in and comes out of a step, and is copied for a checkpoint. */
const stateCopies = 3;

/** Gradients and the teacher's passes on top of what the student keeps for them. Measured. */
const workingFactor = 1.4;

/**
 * Predicts the peak memory of a pre-training on the CPU, in bytes, from the state and from the
 * feature maps that the student keeps for its gradients. Right within about a third.
 */
export function predictMemory(config: PretrainConfig): number {
  const perView = encoderValues(config) + decoderValues(config) + headValues(config);
  const maps = perView * 2 * config.batchSize * bytesPerValue;
  return baseBytes + stateCopies * stateBytes(config) + workingFactor * maps;
}

/** The prediction as a sentence, with a warning when this machine has less to spare. */
export function memoryNotice(config: PretrainConfig): string {
  const bytes = predictMemory(config);
  const free = process.availableMemory();
  const inGb = (value: number): string => `${(value / 1e9).toFixed(1)} GB`;
  const expected = `Training is expected to need about ${inGb(bytes)} of memory`;
  return bytes < free
    ? `${expected}; ${inGb(free)} are free.`
    : `${expected}, but only ${inGb(free)} are free. If it fails, choose a smaller batch or ` +
        'smaller crops.';
}

/** What the maps of a network depend on. */
type NetworkSettings = Pick<
  PretrainConfig,
  'encoder' | 'decoder' | 'decoderChannels' | 'fcnForm' | 'levels' | 'cropPx'
>;

/**
 * Predicts the peak memory of training an encoder and decoder alone with a state of `stateBytes` on
 * `crops` crops a step, in bytes.
 */
export function networkMemory(config: NetworkSettings, stateBytes: number, crops: number): number {
  const maps = (encoderValues(config) + decoderValues(config)) * crops * bytesPerValue;
  return baseBytes + stateCopies * stateBytes + workingFactor * maps;
}

/** Convolution, normalisation and activation of every convolution, for one image. */
function encoderValues(config: NetworkSettings): number {
  const shape = encoderShape(config.encoder);
  const channels = encoderChannels(shape);
  const stem = 3 * shape.width * (config.cropPx / 2) ** 2;
  return shape.depths.reduce((sum, blocks, stage) => {
    const output = channels[stage] ?? 0;
    const inner = output / expansion(shape);
    const kept = shape.block === 'bottleneck' ? 2 * inner + output : 2 * inner;
    return sum + blocks * 3 * kept * mapPixels(config, stage);
  }, stem);
}

function decoderValues(config: NetworkSettings): number {
  if (config.decoder === 'none') return 0;
  const stages = config.decoder === 'fpn' ? [0, 1, 2, 3] : [3];
  const outputs = decoderOutputs(config);
  return stages.reduce((sum, stage) => {
    const hasOutput = config.decoder === 'fcn' || stage < outputs;
    const kept = config.decoderChannels * (hasOutput ? 6 : 4);
    return sum + kept * mapPixels(config, stage);
  }, 0);
}

/**
 * Two hidden layers, the projection and the scores of every level. Of a hidden layer the centered rows
 * are kept and the rest is computed again (`graph/passes/recompute.ts`), one layer at a time.
 */
function headValues(config: PretrainConfig): number {
  return lossLevels(config).reduce((sum, level) => {
    const isCoarse = level.label === 'encoder' || config.decoder === 'fcn';
    const kept = 3 * level.hidden + 4 * config.dim + 6 * level.prototypes;
    return sum + kept * mapPixels(config, isCoarse ? 3 : level.output);
  }, 0);
}

/** Pixels of the feature map of stage 0 (stride 4) to 3 (stride 32). */
function mapPixels(config: Pick<PretrainConfig, 'cropPx'>, stage: number): number {
  return (config.cropPx / (4 * 2 ** stage)) ** 2;
}
