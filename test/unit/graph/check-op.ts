import '@tensorflow/tfjs-backend-cpu';
import {
  addN,
  broadcastTo,
  engine,
  grads,
  mul,
  setBackend,
  sum,
  transpose,
  type Tensor,
} from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { compileFunction } from '../../../src-main/graph/compile.ts';
import { checkShapes } from '../../../src-main/graph/ir.ts';
import { traceFunction } from '../../../src-main/graph/trace.ts';
import type {
  DataType,
  Device,
  HostTensor,
  HostTensors,
  NamedTensors,
  PureFunction,
} from '../../../src-main/graph/types.ts';
import { Random } from '../../../src-main/lib/random.ts';

/**
 * How an input lies in memory before the op sees it: in order, with its axes reversed, an NHWC
 * activation that lies as NCHW, an HWIO filter that lies as OIHW, or one slice that repeats along the
 * first or last axis. All but `plain` reach the op without a node of their own.
 */
export type Layout = 'plain' | 'reversed' | 'nchw' | 'oihw' | 'repeated-first' | 'repeated-last';

export interface InputSpec {
  readonly shape: readonly number[];
  /** Integers are not differentiated. Bytes become floats from 0 to 255. */
  readonly dtype?: DataType;
  /** Instead of random numbers; repeated until the tensor is full. */
  readonly values?: readonly number[];
  /** Limits of random numbers; [-1, 1) when absent. */
  readonly range?: readonly [number, number];
}

export interface OpCase {
  readonly name: string;
  readonly inputs: readonly InputSpec[];
  readonly op: (...inputs: Tensor[]) => Tensor | readonly Tensor[];
  /** Compare gradients by the float inputs as well (default true). */
  readonly gradients?: boolean;
  /** Why tfjs's own gradients are wrong; then only central differences are compared with. */
  readonly brokenReference?: string;
  /** Layouts of each input; by default every one that fits its rank. */
  readonly layouts?: readonly Layout[];
}

const COMPILED_CPU: Device = { executor: 'onnxruntime', provider: 'cpu', threads: 1 };
export const WEBGPU: Device = { executor: 'onnxruntime', provider: 'webgpu', threads: 1 };
const REFERENCE: Device = { executor: 'reference', provider: 'cpu' };

/** Largest allowed difference, as a part of 1 plus the largest value of the tensor. */
const TOLERANCES = { cpu: 2e-5, webgpu: 1e-3 } as const;

/**
 * Runs an op and its gradients, for inputs in every layout, compiled and on tfjs's plain backend, and
 * compares; the gradients are also compared with central differences in float64.
 */
export async function checkOp(check: OpCase): Promise<void> {
  return checkOn(COMPILED_CPU, check, TOLERANCES.cpu);
}

/** The same on WebGPU, in one layout only: layouts are settled before a provider sees the graph. */
export async function checkOpOnWebgpu(check: OpCase): Promise<void> {
  const layouts = layoutsOf(check);
  const layout = layouts.includes('oihw') ? 'oihw' : at(layouts, 0);
  return checkOn(WEBGPU, { ...check, layouts: [layout] }, TOLERANCES.webgpu);
}

async function checkOn(device: Device, check: OpCase, tolerance: number): Promise<void> {
  const inputs = inputsOf(check);
  const fn = functionOf(check);
  checkShapes(traceFunction(fn, {}, specsOf(inputs), { provider: device.provider }));
  const isReliable = check.brokenReference === undefined;
  const reference = isReliable ? fn : functionOf({ ...check, gradients: false });
  const expected = await runOn(REFERENCE, reference, inputs);
  const actual = await runOn(device, fn, inputs);
  if (isReliable) expect(Object.keys(actual)).toEqual(Object.keys(expected));
  for (const [name, values] of Object.entries(expected)) {
    expectClose(name, actual[name], values, tolerance);
  }
  if (check.gradients === false) return;
  const layouts = layoutsOf(check);
  for (const layout of isReliable ? layouts.slice(0, 1) : layouts) {
    checkDifferences(check, layout, inputs, actual, tolerance);
  }
}

/** Records an op and its gradients without running them. */
export function traceOp(check: OpCase): void {
  traceFunction(functionOf(check), {}, specsOf(inputsOf(check)));
}

interface Stored {
  readonly name: string;
  readonly spec: InputSpec;
  /** The shape in which the numbers lie. */
  readonly shape: readonly number[];
  readonly view: (stored: Tensor) => Tensor;
}

/** The inputs of a case in one layout; those that the layout does not fit lie in order. */
function storedInputs({ inputs }: OpCase, layout: Layout): Stored[] {
  return inputs.map((spec, i) => {
    const [shape, view] = storage(spec.shape, layout, i);
    return { name: `x${i}.${layout}`, spec, shape, view };
  });
}

function storage(
  shape: readonly number[],
  layout: Layout,
  position: number,
): readonly [readonly number[], (stored: Tensor) => Tensor] {
  const rank = shape.length;
  // perm[i] is the place of logical axis i.
  const moved = (perm: readonly number[]) => {
    const stored = perm.map((_, place) => shape[perm.indexOf(place)] ?? 0);
    return [stored, (x: Tensor) => transpose(x, [...perm])] as const;
  };
  const repeated = (axis: number) =>
    [shape.with(axis, 1), (x: Tensor) => broadcastTo(x, [...shape])] as const;
  if (layout === 'reversed' && rank > 1) return moved(shape.map((_, i) => rank - 1 - i));
  if (layout === 'nchw' && rank === 4) return moved([0, 2, 3, 1]);
  if (layout === 'oihw' && rank === 4) return moved(position === 0 ? [0, 2, 3, 1] : [2, 3, 1, 0]);
  if (layout === 'repeated-first' && rank > 0) return repeated(0);
  if (layout === 'repeated-last' && rank > 0) return repeated(rank - 1);
  return [shape, (x: Tensor) => x];
}

function layoutsOf({ layouts, inputs }: OpCase): readonly Layout[] {
  if (layouts !== undefined) return layouts;
  const rank = Math.max(0, ...inputs.map(({ shape }) => shape.length));
  if (rank === 0) return ['plain'];
  const common = ['plain', 'repeated-first', 'repeated-last'] as const;
  if (rank === 1) return common;
  return rank === 4 ? [...common, 'reversed', 'nchw'] : [...common, 'reversed'];
}

/** Numbers for every input in every layout. */
function inputsOf(check: OpCase): HostTensors {
  const random = new Random(7);
  return Object.fromEntries(
    layoutsOf(check).flatMap((layout) =>
      storedInputs(check, layout).map(({ name, spec, shape }) => [
        name,
        numbersFor(spec, shape, random),
      ]),
    ),
  );
}

function numbersFor(spec: InputSpec, shape: readonly number[], random: Random): HostTensor {
  const { values, range = [-1, 1], dtype = 'float32' } = spec;
  const length = sizeOf(shape);
  const pick = (i: number) => values?.[i % values.length] ?? random.uniform(...range);
  if (dtype === 'float32')
    return { dtype, shape, data: Float32Array.from({ length }, (_, i) => pick(i)) };
  if (dtype === 'int32')
    return { dtype, shape, data: Int32Array.from({ length }, (_, i) => pick(i)) };
  return { dtype, shape, data: Uint8Array.from({ length }, (_, i) => pick(i)) };
}

/** Outputs of an op and gradients of its weighted sum, for every layout of its inputs. */
function functionOf(check: OpCase): PureFunction {
  return (_, batch) =>
    Object.fromEntries(
      layoutsOf(check).flatMap((layout) => {
        const stored = storedInputs(check, layout);
        const tensors = stored.map(({ name }) => tensorNamed(batch, name));
        const outputs = outputsOf(check, stored, tensors);
        const named = outputs.map((output, i) => [`output${i}.${layout}`, output] as const);
        return check.gradients === false
          ? named
          : [...named, ...gradientsOf(check, stored, tensors)];
      }),
    );
}

function outputsOf(check: OpCase, stored: readonly Stored[], tensors: readonly Tensor[]) {
  const result = check.op(...stored.map(({ view }, i) => view(at(tensors, i))));
  return 'dtype' in result ? [result] : result;
}

function gradientsOf(check: OpCase, stored: readonly Stored[], tensors: readonly Tensor[]) {
  const floats = stored.flatMap(({ spec }, i) => (isInteger(spec) ? [] : [i]));
  const weighted = (...moved: Tensor[]) => {
    const all = tensors.map((fixed, i) => moved[floats.indexOf(i)] ?? fixed);
    return weightedSum(outputsOf(check, stored, all));
  };
  const gradients = grads(weighted)(floats.map((i) => at(tensors, i)));
  return floats.map((i, k) => [`gradient.${at(stored, i).name}`, at(gradients, k)] as const);
}

/** The sum of all float outputs, each weighted by fixed random numbers. */
function weightedSum(outputs: readonly Tensor[]): Tensor {
  const random = new Random(11);
  const sums = outputs
    .filter(({ dtype }) => dtype === 'float32')
    .map((y) => {
      const weights = Float32Array.from({ length: y.size }, () => random.uniform(-1, 1));
      return sum(mul(y, engine().makeTensor(weights, y.shape, 'float32')));
    });
  return addN(sums);
}

function checkDifferences(
  check: OpCase,
  layout: Layout,
  inputs: HostTensors,
  actual: HostTensors,
  tolerance: number,
): void {
  const stored = storedInputs(check, layout);
  const random = new Random(13);
  for (const { name, spec } of stored) {
    if (isInteger(spec)) continue;
    const { data } = hostNamed(inputs, name);
    const gradient = hostNamed(actual, `gradient.${name}`).data;
    for (let i = 0; i < directions; i++) {
      const direction = Float64Array.from(data, () => random.uniform(-1, 1));
      const slope = centralDifference(check, stored, inputs, name, direction);
      const products = Array.from(gradient, (g, k) => g * (direction[k] ?? 0));
      const total = products.reduce((all, product) => all + product, 0);
      const scale = 1 + products.reduce((all, product) => all + Math.abs(product), 0);
      const message = `gradient of ${name} against a central difference`;
      expect(Math.abs(slope - total) / scale, message).toBeLessThan(tolerance);
    }
  }
}

/** The derivative of the weighted sum along a direction of one input, computed in float64. */
function centralDifference(
  check: OpCase,
  stored: readonly Stored[],
  inputs: HostTensors,
  name: string,
  direction: Float64Array,
): number {
  const valueAt = (change: number) =>
    inFloat64(() => {
      const tensors = stored.map((input) => {
        const host = hostNamed(inputs, input.name);
        if (input.name !== name) return tensorOf(host);
        // While Float32Array is another class, this makes float64 numbers.
        const moved = Float32Array.from(host.data, (x, i) => x + change * (direction[i] ?? 0));
        return engine().makeTensor(moved, [...host.shape], 'float32');
      });
      return weightedSum(outputsOf(check, stored, tensors)).dataSync()[0] ?? Number.NaN;
    });
  return (valueAt(differenceStep) - valueAt(-differenceStep)) / (2 * differenceStep);
}

/**
 * Runs `body` on tfjs's plain backend with float64 numbers throughout: the backend allocates every
 * float tensor through the global Float32Array, which is another class meanwhile.
 */
function inFloat64(body: () => number): number {
  void setBackend('cpu');
  const single = globalThis.Float32Array;
  Object.assign(globalThis, { Float32Array: Float64Array });
  engine().startScope();
  try {
    return body();
  } finally {
    engine().endScope();
    Object.assign(globalThis, { Float32Array: single });
  }
}

function tensorOf({ data, shape, dtype }: HostTensor): Tensor {
  const values = dtype === 'int32' ? data : Float32Array.from(data);
  return engine().makeTensor(values, [...shape], dtype === 'int32' ? 'int32' : 'float32');
}

async function runOn(device: Device, fn: PureFunction, inputs: HostTensors): Promise<HostTensors> {
  const specs = specsOf(inputs);
  const compiled = await compileFunction(fn, { params: {}, inputs: specs, device, label: 'op' });
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

/**
 * Asserts equal shapes and values, NaN and infinities included. Differences are measured against
 * `unit` plus the largest value.
 */
export function expectClose(
  name: string,
  actual: HostTensor | undefined,
  expected: HostTensor,
  tolerance: number,
  unit = 1,
): void {
  expect(actual?.shape, name).toEqual(expected.shape);
  const other = actual?.data ?? [];
  const finite = Array.from(expected.data).filter(Number.isFinite);
  const scale = unit + finite.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const differences = Array.from(expected.data, (value, i) => {
    const own = other[i] ?? Number.NaN;
    return Object.is(own, value) || own === value ? 0 : Math.abs(own - value) / scale;
  });
  const worst = differences.findIndex((difference) => !(difference <= tolerance));
  const [got, wanted] = [other[worst], expected.data[worst]];
  expect(worst, `${name}[${worst}] is ${got}, expected ${wanted}`).toBe(-1);
}

function isInteger({ dtype }: InputSpec): boolean {
  return dtype === 'int32';
}

function tensorNamed(tensors: NamedTensors, name: string): Tensor {
  return required(tensors[name], name);
}

function hostNamed(tensors: HostTensors, name: string): HostTensor {
  return required(tensors[name], name);
}

function at<T>(list: readonly T[], index: number): T {
  return required(list[index], `item ${index}`);
}

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`Missing ${what}`);
  return value;
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

const directions = 4;
/** Small enough for kinks to be missed, large enough for float64. */
const differenceStep = 1e-6;
