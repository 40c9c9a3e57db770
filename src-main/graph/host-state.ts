import { AppError } from '../lib/errors.ts';
import type { HostTensor, HostTensors, TensorSpec } from './types.ts';

/** The same numbers in memory of their own. */
export function copyOf(tensor: HostTensor): HostTensor {
  return { ...tensor, data: tensor.data.slice() };
}

/** Every tensor in memory of its own. */
export function copiesOf(tensors: HostTensors): HostTensors {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, copyOf(tensor)]),
  );
}

/** @throws AppError `graph.state-mismatch` when names, shapes or types differ */
export function checkState(
  given: HostTensors,
  expected: Readonly<Record<string, TensorSpec>>,
): void {
  const names = new Set([...Object.keys(given), ...Object.keys(expected)]);
  for (const name of names) {
    const [own, other] = [given[name], expected[name]];
    if (`${own?.shape}` === `${other?.shape}` && own?.dtype === other?.dtype) continue;
    throw new AppError('graph.state-mismatch', `The state ${name} does not fit the network.`);
  }
}
