import type { TilePredictor } from '../../../src-main/inference/tiles.ts';
import type { ModelDescription } from '../../../src-main/inference/model-description.ts';
import type { SegmentationConfig } from '../../../src-main/nn/config.ts';

/** A network small enough for unit tests. */
export const tinyConfig: SegmentationConfig = {
  encoder: { block: 'basic', depths: [1, 1, 1, 1], width: 4 },
  decoder: 'fpn',
  decoderChannels: 8,
  fcnForm: 'cityscapes',
  classes: 3,
};

export const tinyDescription: ModelDescription = {
  name: 'cells',
  classes: [
    { index: 0, name: 'background', color: '#000000' },
    { index: 1, name: 'cell', color: '#00c8ff' },
    { index: 2, name: 'debris', color: '#e69f00' },
  ],
  tileSizePx: 64,
  scale: 1,
  network: tinyConfig,
  provenance: { appVersion: '0.1.0', createdAt: '2026-01-02T03:04:05.000Z', seed: 1 },
  license: 'CC0-1.0',
};

/** Class 1 is as probable as the pixel is red; depends on nothing but the pixel. */
export function rednessPredictor(tileSizePx: number, batchSize = 2): TilePredictor {
  return {
    tileSizePx,
    batchSize,
    classCount: 2,
    predict: (tiles) => {
      const result = new Float32Array((tiles.length / 3) * 2);
      for (let i = 0; i < tiles.length / 3; i++) {
        const red = (tiles[i * 3] ?? 0) / 255;
        result[2 * i] = 1 - red;
        result[2 * i + 1] = red;
      }
      return Promise.resolve(result);
    },
  };
}
