import { describe, expect, it } from 'vitest';
import { resolvePretrainConfig } from '../../../src-main/pretrain/config.ts';
import { BatchMaker, TileOrder } from '../../../src-main/pretrain/batches.ts';
import { readRunSettings } from '../../../src-main/pretrain/run-settings.ts';
import { noiseTiles, tinyOptions } from './tiny-run.ts';

describe('the order of tiles', () => {
  it('shows every tile at most once an epoch and drops the incomplete batch', () => {
    const order = new TileOrder(1, 10, 4);
    expect(order.stepsPerEpoch).toBe(2);
    for (const epoch of [0, 1, 5]) {
      const seen = [...order.tilesOf(2 * epoch), ...order.tilesOf(2 * epoch + 1)];
      expect(new Set(seen).size).toBe(8);
      expect(seen.every((tile) => tile >= 0 && tile < 10)).toBe(true);
    }
    expect(order.tilesOf(0)).not.toEqual(order.tilesOf(2));
  });

  it('is the same from whichever step it is entered', () => {
    const walked = new TileOrder(1, 10, 4);
    const steps = Array.from({ length: 9 }, (_, step) => walked.tilesOf(step));
    expect(new TileOrder(1, 10, 4).tilesOf(7)).toEqual(steps[7]);
    expect(new TileOrder(2, 10, 4).tilesOf(7)).not.toEqual(steps[7]);
  });

  it('fills a batch from a set that is smaller', () => {
    const order = new TileOrder(1, 3, 8);
    expect(order.stepsPerEpoch).toBe(1);
    const tiles = order.tilesOf(4);
    expect(tiles).toHaveLength(8);
    expect(new Set(tiles)).toEqual(new Set([0, 1, 2]));
  });
});

describe('a batch', () => {
  const settings = readRunSettings({ ...tinyOptions, dropout: 0.5 });
  const config = resolvePretrainConfig(
    settings.type === 'asked' ? settings.options : never(),
    noiseTiles().count,
  );
  const at = { step: 3, rollbacks: 0, rateFactor: 1 };
  const made = (where: typeof at) =>
    structuredClone(new BatchMaker(config, noiseTiles()).make(where));

  it('follows from the seed, the step and the attempt', () => {
    expect(made(at)).toEqual(made(at));
    expect(made({ ...at, step: 4 })).not.toEqual(made(at));
    expect(made({ ...at, rollbacks: 1 })['views.rows']).not.toEqual(made(at)['views.rows']);
  });

  it('halves the learning rate after a roll-back', () => {
    const [full = 0] = made(at)['optimizerScalars'] ?? [];
    const [half] = made({ ...at, rateFactor: 0.5 })['optimizerScalars'] ?? [];
    expect(half).toBeCloseTo(full / 2, 7);
  });

  it('drops about half of the channels and doubles the others', () => {
    const mask = made(at)['dropmask.q1.res4'] ?? [];
    expect(new Set(mask)).toEqual(new Set([0, 2]));
  });
});

function never(): never {
  throw new Error('The settings were taken for resolved ones');
}
