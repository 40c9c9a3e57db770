import type { TileCache } from '../datasets/tile-cache.ts';
import type { BatchData } from '../graph/compile.ts';
import { sizeOf } from '../graph/shapes.ts';
import { Random } from '../lib/random.ts';
import { optimizerScalars } from '../nn/optimizers.ts';
import type { Position } from './checkpoint.ts';
import type { PretrainConfig } from './config.ts';
import { ratesAt } from './schedules.ts';
import { dropoutSpecs } from './step.ts';
import { createViewInputs, sampleViews } from './views.ts';
import type { ViewInputs, ViewSize } from './views.ts';

/**
 * The tiles of every step: each epoch is a fresh shuffle whose last incomplete batch is dropped.
 * The order depends on seed and step only, so nothing has to be remembered to continue. A set that
 * is smaller than the batch is gone through as often as needed to fill it.
 */
export class TileOrder {
  readonly #seed: number;
  readonly #tiles: number;
  readonly #batch: number;
  #epoch = -1;
  #order: readonly number[] = [];

  constructor(seed: number, tiles: number, batch: number) {
    this.#seed = seed;
    this.#tiles = tiles;
    this.#batch = batch;
  }

  get stepsPerEpoch(): number {
    return Math.max(1, Math.floor(this.#tiles / this.#batch));
  }

  /** Positions of the step's tiles in the cache. */
  tilesOf(step: number): readonly number[] {
    const epoch = Math.floor(step / this.stepsPerEpoch);
    if (epoch !== this.#epoch) {
      const all = Array.from({ length: this.#tiles }, (_, i) => i);
      this.#order = new Random(this.#seed).fork(`epoch ${epoch}`).shuffled(all);
      this.#epoch = epoch;
    }
    const start = (step % this.stepsPerEpoch) * this.#batch;
    return Array.from(
      { length: this.#batch },
      (_, i) => this.#order[(start + i) % this.#tiles] ?? 0,
    );
  }
}

/** Makes the inputs of every step, always in the same arrays. */
export class BatchMaker {
  readonly #config: PretrainConfig;
  readonly #tiles: TileCache;
  readonly #order: TileOrder;
  readonly #size: ViewSize;
  readonly #images: Uint8Array;
  readonly #views: ViewInputs;
  readonly #masks: Readonly<Record<string, Float32Array>>;

  constructor(config: PretrainConfig, tiles: TileCache) {
    const { batchSize: batch, tilePx, cropPx } = config;
    this.#config = config;
    this.#tiles = tiles;
    this.#order = new TileOrder(config.seed, tiles.count, batch);
    this.#size = { batch, tileSizePx: tilePx, cropSizePx: cropPx };
    this.#images = new Uint8Array(batch * tilePx * tilePx * 3);
    this.#views = createViewInputs(this.#size);
    this.#masks = Object.fromEntries(
      Object.entries(dropoutSpecs(config, batch)).map(([name, { shape }]) => [
        name,
        new Float32Array(sizeOf(shape)),
      ]),
    );
  }

  /** Steps that see every tile once. */
  get stepsPerEpoch(): number {
    return this.#order.stepsPerEpoch;
  }

  /**
   * The inputs of a step; the next call overwrites them. Everything that is drawn follows from the
   * seed, the step and the number of roll-backs.
   */
  make({ step, rollbacks, rateFactor }: Omit<Position, 'trainedSeconds'>): BatchData {
    const random = new Random(this.#config.seed).fork(`step ${step}, attempt ${rollbacks}`);
    const indices = this.#order.tilesOf(step);
    this.#tiles.readImages(indices, this.#images);
    const valid = indices.map((index) => this.#tiles.tile(index));
    sampleViews(random, this.#size, this.#config.augmentation, valid, this.#views);
    for (const mask of Object.values(this.#masks)) fillDropout(random, this.#config.dropout, mask);
    const rates = ratesAt(this.#config, step);
    return {
      images: this.#images,
      ...this.#views,
      ...this.#masks,
      optimizerScalars: optimizerScalars(rates.learningRate * rateFactor, step),
      teacherRate: Float32Array.of(1 - rates.encoderMomentum, 1 - rates.decoderMomentum),
    };
  }
}

/** 0 with the given probability, else 1 / (1 - probability). */
function fillDropout(random: Random, probability: number, mask: Float32Array): void {
  for (let i = 0; i < mask.length; i++) {
    mask[i] = random.chance(probability) ? 0 : 1 / (1 - probability);
  }
}
