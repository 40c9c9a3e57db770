import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { normalize } from '../nn/activation.ts';
import { withGradient } from '../nn/custom-gradient.ts';
import { keptRows } from '../nn/kept-rows.ts';
import { rank2, rank3 } from '../nn/tensors.ts';
import { logSumExp, type Slots } from './grouping.ts';

/** The rows that enter the contrastive loss of one direction, in a static shape. */
export interface SlotPairs {
  /** Student slots `[batch * room, dim]`, before the predictor. */
  readonly queries: Tensor2D;
  /** Teacher slots `[batch * room, dim]`, unit length. */
  readonly keys: Tensor2D;
  /** `[batch * room]`: 1 where the teacher's slot is present; the others are no candidates. */
  readonly candidates: Tensor;
  /** `[batch * room]`: 1 where student and teacher both have the slot; these rows count. */
  readonly used: Tensor;
  /** One-hot `[batch, room, prototypes]` from places to prototypes; absent when all are kept. */
  readonly selection: Tensor3D | undefined;
}

/**
 * Pairs the student's slots of one view with the teacher's of the other (spec 4.6). At most as many
 * slots as pixels can be present, so per image only that many places are kept: the teacher's
 * present slots first. Selection by a one-hot product is exact.
 */
export function pairSlots(query: Slots, key: Slots): SlotPairs {
  const [batch, prototypes, dim] = key.vectors.shape;
  const room = Math.min(prototypes, key.scores.shape[1] * key.scores.shape[2]);
  const selection = room < prototypes ? firstPresent(key.present, room) : undefined;
  const select = (x: Tensor3D): Tensor3D => (selection === undefined ? x : tf.matMul(selection, x));
  const flags = (present: Tensor): Tensor =>
    tf.reshape(select(rank3(tf.reshape(present, [batch, prototypes, 1]))), [-1]);
  const rows = (vectors: Tensor3D): Tensor2D => rank2(tf.reshape(select(vectors), [-1, dim]));
  const candidates = flags(key.present);
  return {
    queries: rows(query.vectors),
    keys: normalize(rows(key.vectors)),
    candidates,
    used: tf.mul(candidates, flags(query.present)),
    selection,
  };
}

/**
 * The pairs without those of absent slots of the teacher, which take no part: at fine levels most of all
 * places are of these.
 */
export function presentPairs(pairs: SlotPairs): SlotPairs {
  const { queries, keys, candidates, used } = pairs;
  return {
    ...pairs,
    queries: keptRows(queries, candidates),
    keys: keptRows(keys, candidates),
    candidates: keptRows(candidates, candidates),
    used: keptRows(used, candidates),
  };
}

/**
 * Slot contrastive loss of one direction (spec 4.6): each used query, after the predictor, must find
 * the teacher's slot of its own image and prototype among all candidates of the batch:
 * 2 tau times the mean cross-entropy over the used rows, 0 when there are none. predicted
 * `[rows, dim]`; only it gets a gradient. Rows are taken in chunks of at most `maxLogits` logits.
 */
export function contrastiveLoss(
  predicted: Tensor2D,
  { keys, candidates, used }: SlotPairs,
  temperature: number,
  maxLogits = MAX_LOGITS,
): Scalar {
  const queries = normalize(predicted);
  const columns = keys.shape[0];
  const chunk = Math.max(1, Math.floor(maxLogits / columns));
  const factor = tf.div(2 * temperature, tf.maximum(tf.sum(used), 1));
  const excluded = tf.mul(tf.reshape(tf.sub(candidates, 1), [1, columns]), 1e9);
  const loss = withGradient(
    [queries],
    () => {
      const parts: { readonly loss: Tensor; readonly slope: Tensor2D }[] = [];
      for (let start = 0; start < columns; start += chunk) {
        const rows = Math.min(chunk, columns - start);
        const own = tf.slice(keys, [start, 0], [rows, -1]);
        const query = tf.slice(queries, [start, 0], [rows, -1]);
        const isUsed = tf.reshape(tf.slice(used, [start], [rows]), [rows, 1]);
        parts.push(rowLosses({ query, own, keys, excluded, isUsed, temperature }));
      }
      const slopes = tf.concat(parts.map(({ slope }) => slope));
      const sum = parts.map((part) => part.loss).reduce((a, b) => tf.add(a, b));
      return {
        value: tf.mul(sum, factor),
        saved: [tf.mul(slopes, factor)] as const,
      };
    },
    (dy, [slope]) => [tf.mul(slope, dy)],
  );
  return tf.reshape(loss, []);
}

/**
 * Sum of the cross-entropies of some rows and its gradient for their queries, made at once so that
 * the logits are dropped right after: at p2 they would be the largest tensor of all.
 */
function rowLosses(rows: {
  readonly query: Tensor2D;
  /** The positive keys of these rows. */
  readonly own: Tensor2D;
  readonly keys: Tensor2D;
  readonly excluded: Tensor;
  readonly isUsed: Tensor;
  readonly temperature: number;
}): { readonly loss: Tensor; readonly slope: Tensor2D } {
  const { query, own, keys, excluded, isUsed, temperature } = rows;
  const logits = contrastLogits(query, keys, excluded, temperature);
  const chances = rank2(tf.softmax(logits));
  const positive = tf.div(tf.sum(tf.mul(query, own), 1, true), temperature);
  const perRow = tf.sub(logSumExp(logits, chances), positive);
  const slope = tf.div(tf.sub(tf.matMul(chances, keys), own), temperature);
  const counts = tf.greater(isUsed, 0);
  const loss = tf.sum(tf.where(counts, perRow, tf.zerosLike(perRow)));
  // The loss waits for the slope, for which the softmax would otherwise be kept until the backward pass.
  const none = tf.mul(tf.slice(slope, [0, 0], [1, 1]), 0);
  return { loss: tf.add(loss, tf.reshape(none, [])), slope: tf.mul(slope, isUsed) };
}

/** query . keys / temperature, -1e9 lower at columns that are no candidates. */
export function contrastLogits(
  query: Tensor2D,
  keys: Tensor2D,
  excluded: Tensor,
  temperature: number,
): Tensor {
  return tf.add(tf.div(tf.matMul(query, keys, false, true), temperature), excluded);
}

/**
 * One-hot `[batch, room, prototypes]`: present prototypes first, each group in ascending order. Places
 * are counted by a triangular product, exact in float32, because sorting leaves some GPUs for the CPU.
 */
function firstPresent(present: Tensor2D, room: number): Tensor3D {
  const [batch, prototypes] = present.shape;
  const index = tf.range(0, prototypes, 1, 'float32');
  const isBefore = tf.cast(
    tf.less(tf.reshape(index, [prototypes, 1]), tf.reshape(index, [1, prototypes])),
    'float32',
  );
  const presentBefore = tf.matMul(present, rank2(isBefore));
  const behindAll = tf.sub(tf.add(tf.sum(present, 1, true), index), presentBefore);
  const place = tf.where(tf.greater(present, 0), presentBefore, behindAll);
  const places = tf.reshape(tf.range(0, room, 1, 'float32'), [1, room, 1]);
  const isThere = tf.equal(tf.reshape(place, [batch, 1, prototypes]), places);
  return rank3(tf.cast(isThere, 'float32'));
}

/** Largest logit block in memory: 64 MB. */
const MAX_LOGITS = 2 ** 24;
