import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { NamedTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import { matrix, parameter } from './tensors.ts';
import { together } from './together.ts';

/** PyTorch's default, used everywhere by the reference. */
const BATCH_NORM_MOMENTUM = 0.1;

/** What a batch norm saw in one call. */
export interface BatchStatistics {
  /** Of the norm's parameters. */
  readonly prefix: string;
  /** How many batches the call was of, each with its own mean and variance. */
  readonly batches: number;
  /** `[batches, channels]`, axes of size 1 aside. */
  readonly mean: Tensor;
  /** As the mean: of the batch itself, not yet in the n / (n - 1) form. */
  readonly variance: Tensor;
  /** How many values of a batch counted; a tensor where the step decides. */
  readonly count: Tensor | number;
}

/**
 * The running statistics after all calls, by name: running <- running + momentum (batch - running), the
 * variance in its n / (n - 1) form, for one batch after another in the order of `seen`. Batches of fewer
 * than two values leave them as they are.
 */
export function nextStatistics(
  params: NamedTensors,
  seen: readonly BatchStatistics[],
): NamedTensors {
  const enough = seen.filter(({ count }) => typeof count !== 'number' || count >= 2);
  const calls = Map.groupBy(enough, ({ prefix }) => prefix);
  const layers = [...calls.values()];
  const known = layers.filter((list) => list.every(isKnown));
  const decided = layers.filter((list) => !list.every(isKnown));
  const alike = [...Map.groupBy(known, (list) => list.reduce((n, { batches }) => n + batches, 0))];
  return Object.fromEntries([
    ...alike.flatMap(([batches, list]) => afterBatches(params, list, batches)),
    ...decided.flatMap((list) => afterDecided(params, list)),
  ]);
}

type KnownCall = BatchStatistics & { readonly count: number };

function isKnown(call: BatchStatistics): call is KnownCall {
  return typeof call.count === 'number';
}

/** Of layers that all saw so many batches. */
function afterBatches(
  params: NamedTensors,
  layers: readonly (readonly KnownCall[])[],
  batches: number,
): [name: string, next: Tensor][] {
  /** What is left of each batch in the running statistics once all of them were seen. */
  const shares = Array.from(
    { length: batches },
    (_, i) => BATCH_NORM_MOMENTUM * (1 - BATCH_NORM_MOMENTUM) ** (batches - 1 - i),
  );
  const kept = (1 - BATCH_NORM_MOMENTUM) ** batches;
  const moving = layers.flatMap((calls) => {
    const prefix = defined(calls[0], 'call').prefix;
    const rows = (tensors: readonly Tensor[]): Tensor =>
      tf.concat(tensors.map((tensor, i) => matrix(tensor, [calls[i]?.batches ?? 1, -1])));
    const factors = calls.flatMap((call) =>
      Array.from({ length: call.batches }, () => call.count / (call.count - 1)),
    );
    return [
      {
        name: `${prefix}.running_mean`,
        seen: rows(calls.map(({ mean }) => mean)),
        shares,
      },
      {
        name: `${prefix}.running_var`,
        seen: rows(calls.map(({ variance }) => variance)),
        shares: shares.map((share, i) => share * (factors[i] ?? 1)),
      },
    ];
  });
  const next = together(
    moving.map(({ name, seen }) => [parameter(params, name), seen]),
    (running, seen) => {
      if (running === undefined || seen === undefined) throw new Error('Nothing was joined.');
      const weights = new Float32Array(batches * running.size);
      let end = 0;
      for (let batch = 0; batch < batches; batch++) {
        for (const layer of moving) {
          weights.fill(layer.shares[batch] ?? 0, end, (end += layer.seen.shape[1] ?? 0));
        }
      }
      const arrived = tf.sum(tf.mul(seen, tf.tensor2d(weights, [batches, running.size])), 0);
      return [tf.add(running, tf.sub(arrived, tf.mul(running, 1 - kept)))];
    },
  );
  return moving.map(({ name }, i) => [name, defined(next[i]?.[0], name)]);
}

/** Of one layer whose calls, of one batch each, may be of too few values, as the step decides. */
function afterDecided(
  params: NamedTensors,
  calls: readonly BatchStatistics[],
): [name: string, next: Tensor][] {
  const prefix = defined(calls[0], 'call').prefix;
  const steps = calls.map(({ mean, variance, count }) => {
    const values = typeof count === 'number' ? tf.scalar(count) : count;
    const isEnough = tf.cast(tf.greaterEqual(values, 2), 'float32');
    const factor = tf.div(values, tf.maximum(tf.sub(values, 1), 1));
    return {
      mean,
      variance: tf.mul(variance, factor),
      rate: tf.mul(isEnough, BATCH_NORM_MOMENTUM),
    };
  });
  const after = (name: string, target: 'mean' | 'variance'): [string, Tensor] => {
    const next = steps.reduce(
      (running, step) => {
        const batch = tf.reshape(step[target], running.shape);
        return tf.add(running, tf.mul(tf.sub(batch, running), step.rate));
      },
      parameter(params, name),
    );
    return [name, next];
  };
  return [after(`${prefix}.running_mean`, 'mean'), after(`${prefix}.running_var`, 'variance')];
}
