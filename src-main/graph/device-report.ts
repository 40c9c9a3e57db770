import * as v from 'valibot';

export const DEVICE_NAMES = ['cpu', 'webgpu', 'cuda', 'directml', 'coreml', 'tensorflow'] as const;

/** What `--device` takes, beside `auto`. */
export type DeviceName = (typeof DEVICE_NAMES)[number];

const worksSchema = v.strictObject({
  type: v.literal('works'),
  name: v.picklist(DEVICE_NAMES),
  /** Speed of a convolution, forward and backward, in 10^9 floating-point operations a second. */
  gigaflops: v.number(),
  /** The chip, as far as it is known. */
  hardware: v.string(),
  /** Memory of the device (free memory for the CPU); absent where the system does not tell. */
  memoryBytes: v.exactOptional(v.number()),
});

const unavailableSchema = v.strictObject({
  type: v.literal('unavailable'),
  name: v.picklist(DEVICE_NAMES),
  /** A sentence: why it cannot be used and what would help. */
  reason: v.string(),
});

/** What became of trying one device. */
export const deviceReportSchema = v.variant('type', [worksSchema, unavailableSchema]);

export type WorkingDevice = Readonly<v.InferOutput<typeof worksSchema>>;
export type UnavailableDevice = Readonly<v.InferOutput<typeof unavailableSchema>>;
export type DeviceReport = WorkingDevice | UnavailableDevice;
