import type { Graph } from '../../../src-main/graph/ir.ts';
import { writeOnnx } from '../../../src-main/graph/onnx-writer.ts';
import { hostTensor, openSession, sessionTensor } from '../../../src-main/graph/session.ts';
import { sizeOf } from '../../../src-main/graph/shapes.ts';
import { CPU, type HostTensor } from '../../../src-main/graph/types.ts';
import { Random } from '../../../src-main/lib/random.ts';

/** Runs a graph of float inputs on the CPU, with the given numbers or the same random ones every time. */
export async function runGraph(
  graph: Graph,
  inputs: Readonly<Record<string, Float32Array>> = {},
): Promise<Readonly<Record<string, HostTensor>>> {
  const session = await openSession(writeOnnx(graph, 'test'), CPU);
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, value: { shape } }, i) => {
      const random = new Random(i + 1);
      const data =
        inputs[name] ?? Float32Array.from({ length: sizeOf(shape) }, () => random.normal());
      return [name, sessionTensor({ shape, dtype: 'float32' }, data)];
    }),
  );
  try {
    const results = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [name, hostTensor(tensor)]),
    );
  } finally {
    await session.release();
  }
}

/** The largest difference of two tensors, as a share of the largest number of the second. */
export function relativeError(
  actual: HostTensor | undefined,
  expected: HostTensor | undefined,
): number {
  if (actual === undefined || expected === undefined) return Infinity;
  if (`${actual.shape}` !== `${expected.shape}`) return Infinity;
  let [difference, largest] = [0, 0];
  expected.data.forEach((value, i) => {
    difference = Math.max(difference, Math.abs(value - (actual.data[i] ?? Infinity)));
    largest = Math.max(largest, Math.abs(value));
  });
  return difference / largest;
}
