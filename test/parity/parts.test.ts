import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileFunction } from '../../src-main/graph/compile.ts';
import type { Device, HostTensor, NamedTensors } from '../../src-main/graph/types.ts';
import { defined } from '../../src-main/lib/errors.ts';
import { applyHead } from '../../src-main/nn/heads.ts';
import { isStatistic } from '../../src-main/nn/names.ts';
import { gradientsOf } from '../../src-main/nn/objective.ts';
import { readSafetensors } from '../../src-main/nn/safetensors.ts';
import { rank1, rank2, rank3, rank4, withPrefix } from '../../src-main/nn/tensors.ts';
import { contrastiveLoss, pairSlots, type SlotPairs } from '../../src-main/pretrain/contrastive.ts';
import {
  align,
  alignmentMatrices,
  groupingLoss,
  groupPixels,
  nextCenter,
  type Slots,
} from '../../src-main/pretrain/grouping.ts';
import { goldenFolder, goldenNote, hasGoldens } from './golden.ts';

/** Reads a tensor of the group by its name in the file. */
type Golden = (name: string) => Tensor;

interface Part {
  /** `<file>/<group>` */
  readonly source: string;
  /** Results under the names that the file has for them. */
  readonly compute: (golden: Golden) => NamedTensors;
  /** Everything else has the gradients' tolerance. */
  readonly tolerances: Readonly<Record<string, number>>;
}

const devices: readonly Device[] = [
  { executor: 'onnxruntime', provider: 'cpu' },
  { executor: 'reference', provider: 'cpu' },
];

describe.skipIf(!hasGoldens)(`parts of the method${goldenNote}`, () => {
  describe.each(devices)('$executor', (device) => {
    test.each(parts())('$source', async ({ source, compute, tolerances }) => {
      const [file = '', group = ''] = source.split('/');
      const { tensors } = readSafetensors(join(goldenFolder, `${file}.safetensors`));
      const params = withPrefix(tensors, `${group}.`);
      const compiled = await compileFunction(
        (given) => compute((name) => defined(given[`${group}.${name}`], name)),
        { params, inputs: {}, device, label: source },
      );
      const results = await compiled.run(params, {});
      await compiled.dispose();
      for (const [name, actual] of Object.entries(results)) {
        const expected = defined(params[`${group}.${name}`], name);
        expectClose(name, actual, expected, tolerances[name.replace(/^.*_after.*$/, 'after')]);
      }
    });
  });
});

function parts(): readonly Part[] {
  const groups = ['a_4x6', 'b_7x7', 'c_degenerate_5x4', 'd_14x14'];
  return [
    ...groups.map((group) => ({
      source: `invaug/${group}`,
      compute: alignment,
      tolerances: { Ry: 2e-6, Rx: 2e-6, y: 2e-6, grad_x: 1e-5 },
    })),
    {
      source: 'grouping/grouping',
      compute: grouping,
      tolerances: { slots: 3e-5, score: 3e-5, attn: 3e-5 },
    },
    {
      source: 'grouping/distill',
      compute: distillation,
      tolerances: { loss: 2e-5, zero_rows_loss: 2e-5 },
    },
    { source: 'grouping/center', compute: center, tolerances: { after: 1e-5 } },
    { source: 'ctr/world1', compute: contrast, tolerances: { loss: 2e-5, after: 1e-5 } },
    {
      source: 'ctr/world2',
      compute: contrastOfTwoRanks,
      tolerances: { 'rank0.loss': 2e-5, 'rank1.loss': 2e-5 },
    },
  ];
}

function alignment(golden: Golden): NamedTensors {
  const scores = channelsLast(golden('x'));
  const [, height, width] = scores.shape;
  const overlap = { coords: rank2(golden('coords')), flip: rank1(golden('flip')) };
  const matrices = alignmentMatrices(overlap, height, width);
  const aligned = (x: Tensor): Tensor => tf.transpose(align(rank4(x), matrices), [0, 3, 2, 1]);
  const gradient = tf.grad((x) => tf.sum(tf.mul(aligned(x), golden('upstream'))))(scores);
  return {
    Ry: matrices.rows,
    Rx: matrices.columns,
    y: aligned(scores),
    grad_x: channelsFirst(gradient),
  };
}

function grouping(golden: Golden): NamedTensors {
  const x = channelsLast(golden('x'));
  const prototypes = rank2(golden('prototypes'));
  const { vectors, scores, attention } = groupPixels(x, prototypes, 0.07);
  const { grads } = gradientsOf({ x, prototypes }, () => {
    const slots = groupPixels(x, prototypes, 0.07);
    const weighted = tf.sum(tf.mul(slots.vectors, golden('upstream_slots')));
    const scored = tf.mul(channelsFirst(slots.scores), golden('upstream_score'));
    return { loss: tf.add(weighted, tf.sum(scored)), side: {} };
  });
  return {
    slots: vectors,
    score: channelsFirst(scores),
    attn: channelsFirst(tf.reshape(attention, scores.shape)),
    grad_x: channelsFirst(defined(grads['x'], 'dx')),
    grad_prototypes: defined(grads['prototypes'], 'dP'),
  };
}

function distillation(golden: Golden): NamedTensors {
  const temperatures = { student: 0.1, teacher: 0.07 };
  const loss = (q: Tensor, centerName: string): Tensor =>
    groupingLoss(q, golden('k'), golden(centerName), temperatures);
  return {
    loss: loss(golden('q'), 'center'),
    grad_q: tf.grad((q) => loss(q, 'center'))(golden('q')),
    zero_rows_loss: loss(tf.zerosLike(golden('q')), 'zero_rows_center'),
  };
}

function center(golden: Golden): NamedTensors {
  const rows = golden('teacher_rows');
  const views = tf.split(tf.reshape(rows, [2, -1, 1, rows.shape[1] ?? 0]), 2);
  const [first, second] = [defined(views[0], 'view 1'), defined(views[1], 'view 2')];
  return { after: nextCenter(golden('before'), [first, second], 0.9) };
}

/** One rank; some slots are absent. */
function contrast(golden: Golden): NamedTensors {
  const params = predictorOf(golden);
  const updates = new Map<string, Tensor>();
  const trained = Object.entries(params).filter(([name]) => !isStatistic(name));
  const q = golden('q');
  const { grads, side } = gradientsOf({ ...Object.fromEntries(trained), q }, () => {
    const query = { ...storedSlots(golden, 'q'), vectors: rank3(q) };
    const pairs = pairSlots(query, storedSlots(golden, 'k'));
    const mode = { training: true, updates };
    const predicted = applyHead(params, 'predictor', pairs.queries, mode, pairs.used);
    const loss = contrastiveLoss(predicted, pairs, 0.2);
    return { loss, side: { loss, ...Object.fromEntries(updates) } };
  });
  return {
    ...renamed(grads, (name) => `grad_${name}`),
    ...renamed(side, (name) => name.replace('predictor', 'predictor_after')),
  };
}

/** Two ranks: the keys of both are candidates, the predictor sees its own rank only. */
function contrastOfTwoRanks(golden: Golden): NamedTensors {
  const params = predictorOf(golden);
  const results = [0, 1].map((rank) => {
    const slots = (side: 'q' | 'k', of: number): Slots => storedSlots(golden, side, `rank${of}.`);
    const others = pairSlots(slots('q', rank), slots('k', 1 - rank));
    const loss = (q: Tensor): Tensor => {
      const query = { ...slots('q', rank), vectors: rank3(q) };
      const own = pairSlots(query, slots('k', rank));
      const mode = { training: true };
      const predicted = applyHead(params, 'predictor', own.queries, mode, own.used);
      const rows = tf.concat([predicted, tf.zerosLike(predicted)]);
      return contrastiveLoss(rank2(rows), withKeysOf(own, others), 0.2);
    };
    const q = golden(`rank${rank}.q`);
    return { [`rank${rank}.loss`]: loss(q), [`rank${rank}.grad_q`]: tf.grad(loss)(q) };
  });
  return Object.fromEntries(results.flatMap((result) => Object.entries(result)));
}

/** Own rows first, so that each positive keeps its place; the other rank's rows are never used. */
function withKeysOf(own: SlotPairs, others: SlotPairs): SlotPairs {
  return {
    ...own,
    keys: rank2(tf.concat([own.keys, others.keys])),
    candidates: tf.concat([own.candidates, others.candidates]),
    used: tf.concat([own.used, tf.zerosLike(others.used)]),
  };
}

/** The slots of a file that stores vectors and presence; scores only give the size of the map. */
function storedSlots(golden: Golden, side: 'q' | 'k', prefix = ''): Slots {
  const none = tf.zeros<tf.Rank.R3>([1, 1, 1]);
  return {
    vectors: rank3(golden(prefix + side)),
    scores: channelsLast(golden(`${prefix}score_${side}`)),
    present: rank2(golden(`${prefix}mask_${side}`)),
    choice: none,
    attention: none,
  };
}

function predictorOf(golden: Golden): NamedTensors {
  const norm = ['weight', 'bias', 'running_mean', 'running_var'];
  const layers = ['mlp.0', 'mlp.1', 'mlp.3', 'mlp.4', 'mlp.6'];
  const names = layers.flatMap((layer) =>
    (/[14]$/.test(layer) ? norm : norm.slice(0, 2)).map((name) => `predictor.${layer}.${name}`),
  );
  return Object.fromEntries(names.map((name) => [name, golden(name)]));
}

function renamed(tensors: NamedTensors, rename: (name: string) => string): NamedTensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, t]) => [rename(name), t]));
}

function channelsLast(x: Tensor): tf.Tensor4D {
  return rank4(tf.transpose(x, [0, 2, 3, 1]));
}

function channelsFirst(x: Tensor): Tensor {
  return tf.transpose(x, [0, 3, 1, 2]);
}

/** Without a tolerance the gradients' one holds: 3e-4 of the largest value plus 5e-6. */
function expectClose(
  name: string,
  actual: HostTensor,
  expected: HostTensor,
  tolerance?: number,
): void {
  expect(actual.data.length, name).toBe(expected.data.length);
  const largest = Math.max(...expected.data.map(Math.abs));
  const allowed = tolerance ?? 3e-4 * largest + 5e-6;
  const errors = Array.from(expected.data, (value, i) => Math.abs(value - (actual.data[i] ?? NaN)));
  expect(Math.max(...errors), name).toBeLessThanOrEqual(allowed);
}
