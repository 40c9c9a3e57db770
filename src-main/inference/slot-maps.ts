import * as tf from '@tensorflow/tfjs-core';
import type { HostTensors, PureFunction } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import { normalize as unitLength } from '../nn/activation.ts';
import { encoderShape } from '../nn/config.ts';
import { applyDecoder } from '../nn/decoder.ts';
import { INFERENCE } from '../nn/mode.ts';
import { applyEncoder } from '../nn/resnet.ts';
import { parameter, rank2 } from '../nn/tensors.ts';
import type { MethodConfig } from '../pretrain/config.ts';
import { applyProjector } from '../pretrain/decon.ts';
import { levelTitle } from '../pretrain/level-titles.ts';
import { lossLevels } from '../pretrain/levels.ts';
import { prototypeName } from '../pretrain/state.ts';
import { rescaleBands } from './rescale.ts';
import { imageInput, normalizedPixels } from './segmentation.ts';
import { argmaxClasses } from './tiles.ts';

/** Which slot each pixel belongs to at one output of the network. */
export interface SlotMap {
  /** `encoder`, `decoder` or `decoder p2`..`decoder p5`. */
  readonly name: string;
  /** Size of the feature map that decided. */
  readonly gridWidth: number;
  readonly gridHeight: number;
  /** Slot index of each picture pixel, `[heightPx, widthPx]`. */
  readonly slots: Uint16Array;
}

/** A slot at one output and how well it covers the reference. */
export interface MatchedSlot {
  readonly name: string;
  readonly slot: number;
  /** Pixels of the slot, and those of them inside the reference. */
  readonly pixels: number;
  readonly overlap: number;
}

/**
 * The teacher in evaluation mode: `image` `[1, height, width, 3]`, RGB 0..255, to one output a loss
 * level, named by the level: cosine of each pixel's projection with each prototype,
 * `[1, h, w, prototypes]` (spec section 9.1).
 */
export function slotScoresFunction(config: MethodConfig): PureFunction {
  return (params, inputs) => {
    const x = normalizedPixels(defined(inputs[imageInput], imageInput));
    const maps = applyEncoder(encoderShape(config.encoder), params, 'encoder_k', x, INFERENCE);
    const outputs = applyDecoder(config, params, 'decoder_k', maps, INFERENCE);
    return Object.fromEntries(
      lossLevels(config).map(({ label, output, names }) => {
        const map = output < 0 ? maps.c5 : defined(outputs[output], label);
        const [, height, width] = map.shape;
        const projected = applyProjector(params, names.projector.k, map, INFERENCE);
        const pixels = unitLength(tf.reshape(projected, [height * width, -1]));
        const prototypes = unitLength(parameter(params, prototypeName(names.grouping.k)));
        const scores = tf.matMul(rank2(pixels), rank2(prototypes), false, true);
        return [label, tf.reshape(scores, [1, height, width, -1])];
      }),
    );
  };
}

/** The teacher's parameters that `slotScoresFunction` reads. */
export function slotParameters(state: HostTensors): HostTensors {
  return Object.fromEntries(
    Object.entries(state).filter(([name]) =>
      /(^|_)(encoder_k|decoder_k|projector_k|grouping_k)\./.test(name),
    ),
  );
}

/** Hard slot maps at picture size: bilinear scores, then the best slot (spec section 9.2). */
export async function slotMaps(
  config: MethodConfig,
  scores: HostTensors,
  size: { readonly widthPx: number; readonly heightPx: number },
): Promise<readonly SlotMap[]> {
  const maps: SlotMap[] = [];
  for (const { label } of lossLevels(config)) {
    const { shape, data } = defined(scores[label], label);
    const [, gridHeight = 0, gridWidth = 0, classCount = 0] = shape;
    if (!(data instanceof Float32Array)) throw new Error('Scores are floats');
    const whole = { topPx: 0, rows: gridHeight, probabilities: data };
    const from = { widthPx: gridWidth, heightPx: gridHeight };
    const slots = new Uint16Array(size.widthPx * size.heightPx);
    for await (const band of rescaleBands(once(whole), { from, to: size, classCount })) {
      const first = band.topPx * size.widthPx;
      const target = slots.subarray(first, first + band.rows * size.widthPx);
      argmaxClasses(band.probabilities, classCount, target);
    }
    maps.push({ name: levelTitle(config, label), gridWidth, gridHeight, slots });
  }
  return maps;
}

/** Slots by the pixels they cover, largest first. */
export function slotsByArea(
  slots: Uint16Array,
): readonly (readonly [slot: number, pixels: number])[] {
  const areas = new Map<number, number>();
  for (const slot of slots) areas.set(slot, (areas.get(slot) ?? 0) + 1);
  return [...areas].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
}

/**
 * The reference is the slot that covers most pixels of the first map (the encoder's, where there is
 * one); at every other output the slot that shares most pixels with it. Each output has prototypes
 * of its own, so only places can be compared, not slot numbers (spec section 9.2).
 */
export function matchSlots(maps: readonly SlotMap[]): readonly MatchedSlot[] {
  const reference = defined(maps[0], 'slot map');
  const [chosen = 0] = slotsByArea(reference.slots)[0] ?? [];
  return maps.map(({ name, slots }) => {
    const overlaps = new Map<number, number>();
    slots.forEach((slot, i) => {
      if (reference.slots[i] === chosen) overlaps.set(slot, (overlaps.get(slot) ?? 0) + 1);
    });
    const ranked = [...overlaps].sort((a, b) => b[1] - a[1] || a[0] - b[0]);
    const [slot = 0, overlap = 0] = ranked[0] ?? [];
    return { name, slot, overlap, pixels: slots.filter((value) => value === slot).length };
  });
}

async function* once<T>(value: T): AsyncGenerator<T, void, void> {
  yield await Promise.resolve(value);
}
