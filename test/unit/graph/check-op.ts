import { engine, grads, mul, sum, type Tensor } from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { checkShapes } from '../../../src-main/graph/ir.ts';
import { compileFunction } from '../../../src-main/graph/compile.ts';
import { traceFunction } from '../../../src-main/graph/trace.ts';
import type {
  Device,
  HostTensor,
  HostTensors,
  NamedTensors,
  PureFunction,
} from '../../../src-main/graph/types.ts';
import { Random } from '../../../src-main/lib/random.ts';

const COMPILED: Device = { executor: 'onnxruntime', provider: 'cpu', threads: 1 };
const REFERENCE: Device = { executor: 'reference', provider: 'cpu' };

/** Largest allowed difference, relative to the largest value of a tensor, plus the same absolute. */
const TOLERANCE = 2e-5;
const DIFFERENCE_TOLERANCE = 2e-2;

export interface OpCheck {
  /** Shapes of the float inputs. */
  readonly inputs: readonly (readonly number[])[];
  /** Float inputs to use instead of random ones. */
  readonly values?: readonly (readonly number[] | undefined)[];
  readonly op: (...inputs: Tensor[]) => Tensor;
  /** Compare gradients as well (default true). */
  readonly gradients?: boolean;
  /** Also compare gradients with central differences (default true where gradients are). */
  readonly differences?: boolean;
  readonly range?: readonly [number, number];
  readonly device?: Device;
  readonly tolerance?: number;
}

/**
 * Runs an op and its gradients compiled, on tfjs's plain backend and, for the gradients, by central
 * differences of the plain backend accumulated in float64; all must agree.
 */
export async function checkOp(check: OpCheck): Promise<void> {
  const inputs = inputsOf(check);
  const fn = functionOf(check, inputs);
  const specs = specsOf(inputs);
  checkShapes(traceFunction(fn, {}, specs));
  const expected = await runOn(REFERENCE, fn, inputs);
  const actual = await runOn(check.device ?? COMPILED, fn, inputs);
  for (const [name, tensor] of Object.entries(expected)) {
    expectClose(name, actual[name], tensor, check.tolerance ?? TOLERANCE);
  }
  if (check.gradients === false || check.differences === false) return;
  for (const name of Object.keys(inputs)) {
    const differences = await centralDifferences(check, inputs, name);
    expectClose(
      `gradient.${name}`,
      expected[`gradient.${name}`],
      differences,
      DIFFERENCE_TOLERANCE,
    );
  }
}

function inputsOf({ inputs, values, range = [-1, 1] }: OpCheck): HostTensors {
  const random = new Random(7);
  return Object.fromEntries(
    inputs.map((shape, i) => {
      const size = shape.reduce((product, n) => product * n, 1);
      const given = values?.[i];
      const data = Float32Array.from(
        { length: size },
        (_, k) => given?.[k] ?? random.uniform(...range),
      );
      return [`x${i}`, { dtype: 'float32', shape, data } satisfies HostTensor];
    }),
  );
}

/** The op's output and the gradients of its sum weighted by fixed numbers. */
function functionOf(check: OpCheck, inputs: HostTensors): PureFunction {
  const names = Object.keys(inputs);
  return (_, batch) => {
    const list = names.map((name) => tensorNamed(batch, name));
    const output = check.op(...list);
    if (check.gradients === false) return { output };
    const weighted = (...xs: Tensor[]) => {
      const y = check.op(...xs);
      return sum(mul(y, weightsLike(y)));
    };
    const gradients = grads(weighted)(list);
    return Object.fromEntries([
      ['output', output],
      ...gradients.map((gradient, i) => [`gradient.${names[i]}`, gradient] as const),
    ]);
  };
}

function weightsLike(y: Tensor): Tensor {
  const random = new Random(11);
  const values = Float32Array.from({ length: y.size }, () => random.uniform(-1, 1));
  return engine().makeTensor(values, y.shape, 'float32');
}

function tensorNamed(tensors: NamedTensors, name: string): Tensor {
  const tensor = tensors[name];
  if (tensor === undefined) throw new Error(`No tensor ${name}`);
  return tensor;
}

async function runOn(device: Device, fn: PureFunction, inputs: HostTensors): Promise<HostTensors> {
  const compiled = await compileFunction(fn, {
    params: {},
    inputs: specsOf(inputs),
    device,
    label: 'op',
  });
  const data = Object.fromEntries(Object.entries(inputs).map(([name, { data }]) => [name, data]));
  const result = await compiled.run({}, data);
  await compiled.dispose();
  return result;
}

function specsOf(inputs: HostTensors) {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  );
}

async function centralDifferences(
  check: OpCheck,
  inputs: HostTensors,
  name: string,
): Promise<HostTensor> {
  const source = inputs[name];
  if (source === undefined) throw new Error(`No input ${name}`);
  const forward = functionOf({ ...check, gradients: false }, inputs);
  const step = 1e-2;
  const valueAt = async (index: number, change: number) => {
    const data = Float32Array.from(source.data);
    data[index] = (data[index] ?? 0) + change;
    const { output } = await runOn(REFERENCE, forward, { ...inputs, [name]: { ...source, data } });
    const random = new Random(11);
    let total = 0;
    for (const value of output?.data ?? []) total += value * random.uniform(-1, 1);
    return total;
  };
  const data = new Float32Array(source.data.length);
  for (let i = 0; i < data.length; i++) {
    data[i] = ((await valueAt(i, step)) - (await valueAt(i, -step))) / (2 * step);
  }
  return { ...source, data };
}

function expectClose(
  name: string,
  actual: HostTensor | undefined,
  expected: HostTensor | undefined,
  tolerance: number,
): void {
  expect(actual?.shape, name).toEqual(expected?.shape);
  const [a, b] = [actual?.data ?? [], expected?.data ?? []];
  const largest = Math.max(0, ...Array.from(b, Math.abs));
  const difference = Array.from(b).reduce((worst, value, i) => {
    const own = Math.abs(value - (a[i] ?? Number.NaN));
    return Number.isNaN(own) ? Number.POSITIVE_INFINITY : Math.max(worst, own);
  }, 0);
  expect(difference, `largest difference of ${name}`).toBeLessThanOrEqual(
    tolerance * (1 + largest),
  );
}
