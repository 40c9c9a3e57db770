import { describe, expect, it } from 'vitest';
import { optimizerSettings, parseFinetuneConfig } from '../../../src-main/finetune/config.ts';

describe('parseFinetuneConfig', () => {
  it('fills in every default', () => {
    const config = parseFinetuneConfig({});
    expect(config).toMatchObject({ encoder: 'resnet18', decoder: 'fpn', fraction: 1, batch: 8 });
    expect(config.augmentation.scale).toEqual([0.5, 2]);
    expect(parseFinetuneConfig(config)).toEqual(config);
  });

  it('names the field that is wrong', () => {
    expect(() => parseFinetuneConfig({ augmentation: { hue: 3 } })).toThrow(/augmentation\.hue/);
    expect(() => parseFinetuneConfig({ cropPx: 100 })).toThrow(/cropPx/);
    expect(() => parseFinetuneConfig({ cropPx: 512 })).toThrow(/does not fit into a tile/);
    expect(() => parseFinetuneConfig({ steps: 'auto' })).toThrow(/time budget/);
    expect(() => parseFinetuneConfig({ unknown: 1 })).toThrow(/unknown/);
  });

  it('chooses learning rate and decay by the optimizer unless they are given', () => {
    expect(optimizerSettings(parseFinetuneConfig({ optimizer: 'sgd' })).learningRate).toBe(0.01);
    const given = parseFinetuneConfig({ optimizer: 'sgd', learningRate: 0.5, weightDecay: 0 });
    expect(optimizerSettings(given)).toEqual({ learningRate: 0.5, weightDecay: 0 });
  });

  it('takes the network of the run it starts from, unless told otherwise', () => {
    const parent = { encoder: 'resnet34', decoder: 'fpn', decoderChannels: 64, prototypes: 9 };
    const start = { type: 'encoder', run: 'r' } as const;
    expect(parseFinetuneConfig({ start }, parent)).toMatchObject({
      encoder: 'resnet34',
      decoderChannels: 64,
      start,
    });
    expect(parseFinetuneConfig({ start, decoder: 'fcn' }, parent)).toMatchObject({
      decoder: 'fcn',
    });
  });
});
