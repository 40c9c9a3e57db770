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
