import type { SegmentationConfig } from '../../../src-main/nn/config.ts';

/** A network small enough for unit tests. */
export const tinyConfig: SegmentationConfig = {
  encoder: { block: 'basic', depths: [1, 1, 1, 1], width: 4 },
  decoder: 'fpn',
  decoderChannels: 8,
  fcnForm: 'cityscapes',
  classes: 3,
};
