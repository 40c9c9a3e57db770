import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { compileFunction } from '../../../src-main/graph/compile.ts';
import { checkShapes, type Graph } from '../../../src-main/graph/ir.ts';
import { leaveOutRows } from '../../../src-main/graph/passes/kept-rows.ts';
import { traceFunction } from '../../../src-main/graph/trace.ts';
import { CPU, type PureFunction } from '../../../src-main/graph/types.ts';
import { defined } from '../../../src-main/lib/errors.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { applyHead, initHead } from '../../../src-main/nn/heads.ts';
import { keptRows } from '../../../src-main/nn/kept-rows.ts';
import { gradientsOf } from '../../../src-main/nn/objective.ts';
import { nextStatistics, type BatchStatistics } from '../../../src-main/nn/running-statistics.ts';
import { rank2 } from '../../../src-main/nn/tensors.ts';
import { contrastiveLoss } from '../../../src-main/pretrain/contrastive.ts';

const rows = 12;
const dim = 4;
const shape = { inputs: dim, hidden: 8, outputs: dim, kind: 'predictor' } as const;
const params = initHead(shape, 'head', new Random(1));

const inputs = {
  queries: { shape: [rows, dim], dtype: 'float32' },
  keys: { shape: [rows, dim], dtype: 'float32' },
  candidates: { shape: [rows], dtype: 'float32' },
  used: { shape: [rows], dtype: 'float32' },
} as const;

/** A predictor and a contrastive loss as in a step, with gradients; rows are left out by `keep`. */
function lossOf(keep: (x: Tensor, mask: Tensor) => Tensor): PureFunction {
  return (weights, batch) => {
    const input = (name: keyof typeof inputs): Tensor => defined(batch[name], name);
    const [queries, candidates] = [input('queries'), input('candidates')];
    const trained = Object.entries(weights).filter(([name]) => !name.includes('running'));
    const { grads, side } = gradientsOf({ ...Object.fromEntries(trained), queries }, () => {
      const short = (name: keyof typeof inputs): Tensor => keep(input(name), candidates);
      const used = short('used');
      const statistics: BatchStatistics[] = [];
      const mode = { training: true, statistics };
      const predicted = applyHead(weights, 'head', rank2(short('queries')), mode, used);
      const pairs = {
        queries: rank2(short('queries')),
        keys: rank2(short('keys')),
        candidates: short('candidates'),
        used,
        selection: undefined,
      };
      const loss = contrastiveLoss(predicted, pairs, 0.2);
      return { loss, side: { loss, ...nextStatistics(weights, statistics) } };
    });
    const named = Object.entries(grads).map(([name, gradient]): [string, Tensor] => [
      `grad.${name}`,
      gradient,
    ]);
    return { ...side, ...Object.fromEntries(named) };
  };
}

const all = (x: Tensor): Tensor => x;

describe('rows that take no part', () => {
  it.each([
    ['most', [0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0]],
    ['none', Array.from({ length: rows }, () => 1)],
    ['all but one', [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]],
  ])('%s are left out of products, norms and losses, with the same results', async (_, mask) => {
    const random = new Random(2);
    const numbers = () => Float32Array.from({ length: rows * dim }, () => random.normal());
    const candidates = Float32Array.from(mask);
    const used = candidates.with(mask.lastIndexOf(1), mask.filter(Boolean).length > 2 ? 0 : 1);
    const batch = { queries: numbers(), keys: numbers(), candidates, used };
    const [short, whole] = await Promise.all(
      [keptRows<Tensor>, all].map(async (keep) => {
        const compiled = await compileFunction(lossOf(keep), {
          ...{ params, inputs, device: CPU, label: 'rows' },
        });
        const result = await compiled.run(params, batch);
        await compiled.dispose();
        return result;
      }),
    );
    expect(Object.keys(short ?? {}).length).toBeGreaterThan(10);
    for (const [name, tensor] of Object.entries(whole ?? {})) {
      const actual = defined(short?.[name], name);
      expect(actual.shape, name).toEqual(tensor.shape);
      const allowed = 1e-5 * (1 + Math.max(...Array.from(tensor.data, Math.abs)));
      tensor.data.forEach((value, i) => {
        expect(Math.abs((actual.data[i] ?? NaN) - value), name).toBeLessThan(allowed);
      });
    }
  });

  it('leave gathered rows behind, and no marks', () => {
    const graph = leaveOutRows(traced(lossOf(keptRows)), 'cpu');
    checkShapes(graph);
    expect(operators(graph)).toEqual(expect.arrayContaining(['NonZero', 'Gather', 'ScatterND']));
    expect(operators(graph).filter((operator) => operator.endsWith('Rows'))).toEqual([]);
  });

  it('stay where an operation needs their number', () => {
    const graph = traced((_, batch) => {
      const kept = keptRows(defined(batch['keys'], 'keys'), defined(batch['used'], 'used'));
      return { y: tf.reshape(kept, [rows / 2, 2 * dim]) };
    });
    const result = leaveOutRows(graph, 'cpu');
    checkShapes(result);
    expect(operators(result)).toEqual(['Reshape']);
  });
});

function traced(fn: PureFunction): Graph {
  return traceFunction(fn, params, inputs);
}

function operators({ nodes }: Graph): string[] {
  return nodes.map(({ operator }) => operator);
}
