import {
  conv2d,
  mean,
  mul,
  reshape,
  square,
  sub,
  transpose,
  valueAndGrads,
  type Tensor,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { AppError, defined } from '../lib/errors.ts';
import { Random } from '../lib/random.ts';
import { compileStep, type CompiledStep } from './compile.ts';
import { sizeOf } from './shapes.ts';
import { CPU, type Device, type HostTensor, type HostTensors, type NamedTensors } from './types.ts';

export interface DeviceSpeed {
  readonly gigaflops: number;
  /** False where an executor that should use a GPU computes on the CPU. */
  readonly usesGpu: boolean;
}

interface Size {
  readonly batch: number;
  readonly sidePx: number;
  readonly channels: number;
}

/** Tried in this order until a step takes longer than `enoughMs`. */
const sizes: readonly Size[] = [
  { batch: 1, sidePx: 16, channels: 32 },
  { batch: 4, sidePx: 32, channels: 64 },
  { batch: 8, sidePx: 64, channels: 64 },
  { batch: 16, sidePx: 128, channels: 64 },
];
const checkSize: Size = { batch: 2, sidePx: 12, channels: 8 };
const enoughMs = 30;
const timedSteps = 5;
/** Of the largest value; leaves room for the 10-bit mantissas of tensor cores. */
const tolerance = 1e-2;

/**
 * Trains one 3x3 convolution on a device: first small, compared with the CPU, then larger until the
 * time tells the speed of the device and not of the calls.
 * @throws AppError `device.unavailable` when it does not start, `device.wrong-result`
 */
export async function measureDevice(device: Device): Promise<DeviceSpeed> {
  await checkResult(device);
  let gigaflops = 0;
  for (const size of sizes) {
    const stepMs = await stepTime(device, size);
    gigaflops = Math.max(gigaflops, operations(size) / stepMs / 1e6);
    if (stepMs > enoughMs) break;
  }
  return { gigaflops, usesGpu: await usesGpu(device) };
}

async function checkResult(device: Device): Promise<void> {
  const actual = await trained(device);
  const expected = await trained(CPU);
  for (const [name, { data }] of Object.entries(expected)) {
    const other = defined(actual[name], name).data;
    const largest = Math.max(...Array.from(data, Math.abs));
    // Written so that NaN is not close.
    const isClose = (value: number, i: number) =>
      Math.abs(value - (other[i] ?? Number.NaN)) <= tolerance * largest;
    if (Array.from(data).every(isClose)) continue;
    throw new AppError(
      'device.wrong-result',
      'Its results differ from those of the CPU; the driver is probably at fault.',
    );
  }
}

async function trained(device: Device): Promise<HostTensors> {
  const step = await openStep(device, checkSize);
  try {
    await step.run({});
    await step.run({});
    return await step.readState();
  } finally {
    await step.dispose();
  }
}

/** Median time of a step in milliseconds, after one to warm up. */
async function stepTime(device: Device, size: Size): Promise<number> {
  const step = await openStep(device, size);
  try {
    await step.run({});
    const times: number[] = [];
    for (let i = 0; i < timedSteps; i++) {
      const started = performance.now();
      await step.run({});
      times.push(performance.now() - started);
    }
    return defined(times.sort((a, b) => a - b)[Math.floor(timedSteps / 2)], 'time');
  } finally {
    await step.dispose();
  }
}

/** Multiplications and additions of a forward and two backward 3x3 convolutions. */
function operations({ batch, sidePx, channels }: Size): number {
  return 3 * 2 * batch * sidePx ** 2 * channels ** 2 * 9;
}

function openStep(device: Device, { batch, sidePx, channels }: Size): Promise<CompiledStep> {
  const random = new Random(1);
  const tensor = (shape: readonly number[], scale: number): HostTensor => ({
    dtype: 'float32',
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-scale, scale)),
  });
  return compileStep(trainingStep, {
    state: {
      image: tensor([batch, sidePx, sidePx, channels], 1),
      filter: tensor([channels, channels, 3, 3], 1 / Math.sqrt(channels)),
    },
    batch: {},
    device,
    label: 'device trial',
  });
}

/** Gradient descent of a convolution's mean square, on the image and on the filter. */
function trainingStep(state: NamedTensors) {
  const loss = (image: Tensor, filter: Tensor) => {
    const byTap = transpose(rank4(filter), [2, 3, 1, 0]);
    return mean(square(conv2d(rank4(image), byTap, 1, 'same')));
  };
  const names = ['image', 'filter'] as const;
  const tensors = names.map((name) => defined(state[name], name));
  const { value, grads } = valueAndGrads(loss)(tensors);
  const next = names.map((name, i) => {
    const gradient = defined(grads[i], `gradient of ${name}`);
    return [name, sub(defined(tensors[i], name), mul(gradient, 0.1))] as const;
  });
  return { state: Object.fromEntries(next), outputs: { loss: value } };
}

function rank4(tensor: Tensor): Tensor4D {
  const [a = 1, b = 1, c = 1, d = 1] = tensor.shape;
  return reshape(tensor, [a, b, c, d]);
}

async function usesGpu({ executor, provider }: Device): Promise<boolean> {
  if (executor !== 'tensorflow') return provider !== 'cpu';
  return (await import('./tensorflow.ts')).tensorflowUsesGpu();
}
