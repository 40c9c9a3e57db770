import { writeOnnx } from './onnx-writer.ts';
import { traceFunction, type TensorSpecs } from './trace.ts';
import type { HostTensors, PureFunction } from './types.ts';

/**
 * A function with its parameters inside, as the bytes of an ONNX file. Inputs and outputs are named
 * as `inputs` and the function's result name them.
 */
export function exportOnnx(
  fn: PureFunction,
  options: {
    readonly params: HostTensors;
    readonly inputs: TensorSpecs;
    readonly metadata: Readonly<Record<string, string>>;
    readonly label: string;
  },
): Uint8Array {
  const same = (name: string) => name;
  const graph = traceFunction(fn, options.params, options.inputs, {
    names: { input: same, output: same },
  });
  return writeOnnx(graph, options.label, options.metadata);
}
