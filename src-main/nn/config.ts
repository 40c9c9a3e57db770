import * as v from 'valibot';

/** The residual networks that can be chosen by name: torchvision's layouts, v1.5 bottlenecks. */
export const ENCODERS = {
  resnet18: { block: 'basic', depths: [2, 2, 2, 2], width: 64 },
  resnet34: { block: 'basic', depths: [3, 4, 6, 3], width: 64 },
  resnet50: { block: 'bottleneck', depths: [3, 4, 6, 3], width: 64 },
} as const;

const count = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65536));

/** A residual network of any size: block, blocks per stage, channels of the stem. */
export const EncoderShapeSchema = v.strictObject({
  block: v.picklist(['basic', 'bottleneck']),
  depths: v.pipe(v.tuple([count, count, count, count]), v.readonly()),
  width: count,
});
export type EncoderShape = Readonly<v.InferOutput<typeof EncoderShapeSchema>>;

/** What decides which encoder and decoder parameters exist. */
export const NETWORK_ENTRIES = {
  encoder: v.optional(
    v.union([v.picklist(['resnet18', 'resnet34', 'resnet50']), EncoderShapeSchema]),
    'resnet18', // ours, for two CPU cores; the papers use resnet50
  ),
  decoder: v.optional(v.picklist(['none', 'fcn', 'fpn']), 'fpn'),
  decoderChannels: v.optional(count, 256), // DeCon code line: FPN and FCN 256
  /** Dilation of the FCN's convolutions: 6 in the Cityscapes form, 1 in the ADE20K form. */
  fcnForm: v.optional(v.picklist(['cityscapes', 'ade20k']), 'cityscapes'), // code line's default
};

export const NetworkConfigSchema = v.strictObject(NETWORK_ENTRIES);
export type NetworkConfig = Readonly<v.InferOutput<typeof NetworkConfigSchema>>;

/** A segmentation network: encoder, decoder (finest output only), classifier. */
export const SegmentationConfigSchema = v.strictObject({ ...NETWORK_ENTRIES, classes: count });
export type SegmentationConfig = Readonly<v.InferOutput<typeof SegmentationConfigSchema>>;

/** Pyramid outputs that exist, finest first: p2 alone, or p2..p5. */
export type PyramidLevels = 'single' | 'multi';

/** Side lengths must be multiples of this: the stride of the encoder's last map. */
export const ENCODER_STRIDE = 32;

export function encoderShape(encoder: NetworkConfig['encoder']): EncoderShape {
  return typeof encoder === 'string' ? ENCODERS[encoder] : encoder;
}

/** Channels of the encoder's maps c2, c3, c4, c5. */
export function encoderChannels(shape: EncoderShape): readonly [number, number, number, number] {
  const base = shape.width * expansion(shape);
  return [base, 2 * base, 4 * base, 8 * base];
}

/** Output channels of a block over its inner width. */
export function expansion(shape: EncoderShape): number {
  return shape.block === 'bottleneck' ? 4 : 1;
}

/** A network and the pyramid outputs it has; `levels` matters for the FPN only. */
export interface DecoderConfig extends NetworkConfig {
  readonly levels: PyramidLevels;
}

/** How many outputs `applyDecoder` returns. */
export function decoderOutputs(config: DecoderConfig): number {
  if (config.decoder === 'none') return 0;
  return config.decoder === 'fpn' && config.levels === 'multi' ? 4 : 1;
}
