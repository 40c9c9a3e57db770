import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { NamedTensors } from '../graph/types.ts';
import { normalize } from '../nn/activation.ts';
import { applyHead } from '../nn/heads.ts';
import type { Mode } from '../nn/mode.ts';
import { parameter, rank2 } from '../nn/tensors.ts';
import type { MethodConfig } from './config.ts';
import {
  contrastiveLoss,
  contrastLogits,
  pairSlots,
  presentPairs,
  type SlotPairs,
} from './contrastive.ts';
import {
  align,
  alignmentMatrices,
  groupingLoss,
  groupPixels,
  type Overlap,
  type Slots,
} from './grouping.ts';
import type { LossLevel, Side } from './levels.ts';
import { prototypeName } from './state.ts';
import { both, type Pair } from './two-views.ts';

/** Collects intermediate values for tests, under the names of the golden files. */
export type Observed = Map<string, Tensor>;

/** Groups the projections of both views with one side's prototypes. */
export function slotsOf(
  config: MethodConfig,
  level: LossLevel,
  params: NamedTensors,
  side: Side,
  projections: Pair<Tensor4D>,
): Pair<Slots> {
  const prototypes = rank2(parameter(params, prototypeName(level.names.grouping[side])));
  const group = (x: Tensor4D): Slots => groupPixels(x, prototypes, config.attentionTemperature);
  return [group(projections[0]), group(projections[1])];
}

/** Loss parts of one level; both directions are added, not averaged (spec 4.7). */
export interface LevelLosses {
  readonly group: Scalar;
  readonly contrast: Scalar;
}

/**
 * The SlotCon objective (Wen et al. 2022, spec 4) of one level: the student's slots of each view
 * against the teacher's of the other. The grouping losses use the center from before this step.
 */
export function slotconLosses(
  config: MethodConfig,
  level: LossLevel,
  params: NamedTensors,
  slots: { readonly student: Pair<Slots>; readonly teacher: Pair<Slots> },
  overlaps: Pair<Overlap>,
  mode: Mode,
  observed?: Observed,
): LevelLosses {
  const { student, teacher } = slots;
  const [, height, width] = student[0].scores.shape;
  const matrices = both(overlaps, (overlap) => alignmentMatrices(overlap, height, width));
  const aligned = (side: Pair<Slots>): Pair<Tensor4D> => [
    align(side[0].scores, matrices[0]),
    align(side[1].scores, matrices[1]),
  ];
  const [studentScores, teacherScores] = [aligned(student), aligned(teacher)];
  const center = parameter(params, level.names.center);
  const temperatures = { student: config.studentTemperature, teacher: config.teacherTemperature };
  const group12 = groupingLoss(studentScores[0], teacherScores[1], center, temperatures);
  const group21 = groupingLoss(studentScores[1], teacherScores[0], center, temperatures);

  const contrast = (query: Slots, key: Slots, branch: string): Scalar => {
    const all = pairSlots(query, key);
    // What tests look at holds all rows.
    const pairs = observed === undefined ? presentPairs(all) : all;
    const predictor = level.names.predictor;
    const predicted = applyHead(params, predictor, pairs.queries, mode, pairs.used);
    if (observed !== undefined) observePairs(pairs, predicted, config, branch, observed);
    return contrastiveLoss(predicted, pairs, config.contrastTemperature);
  };
  const contrast12 = contrast(student[0], teacher[1], 'q1');
  const contrast21 = contrast(student[1], teacher[0], 'q2');
  if (observed !== undefined) {
    observeSlots(student, studentScores, 'q', observed);
    observeSlots(teacher, teacherScores, 'k', observed);
    observed.set('loss.group_12', group12);
    observed.set('loss.group_21', group21);
    observed.set('loss.ctr_12', contrast12);
    observed.set('loss.ctr_21', contrast21);
  }
  return { group: tf.add(group12, group21), contrast: tf.add(contrast12, contrast21) };
}

function observeSlots(
  slots: Pair<Slots>,
  aligned: Pair<Tensor4D>,
  side: Side,
  observed: Observed,
): void {
  slots.forEach((view, i) => {
    const branch = `${side}${i + 1}`;
    const [batch, height, width, prototypes] = view.scores.shape;
    const map = [batch, height, width, prototypes];
    observed.set(`slots.${branch}`, view.vectors);
    observed.set(`score.${branch}`, tf.transpose(view.scores, [0, 3, 1, 2]));
    observed.set(`attn.${branch}`, tf.transpose(tf.reshape(view.attention, map), [0, 3, 1, 2]));
    observed.set(`mask.${branch}`, view.present);
    const inOverlap = aligned[i];
    if (inOverlap !== undefined) {
      observed.set(`aligned.${branch}`, tf.transpose(inOverlap, [0, 3, 2, 1]));
    }
  });
}

/** Puts the kept rows back to the places of all prototypes; what takes no part is 0. */
function observePairs(
  pairs: SlotPairs,
  predicted: Tensor,
  config: MethodConfig,
  branch: string,
  observed: Observed,
): void {
  const { keys, candidates, used, selection } = pairs;
  const rows = keys.shape[0];
  const spread = (x: Tensor): Tensor => {
    if (selection === undefined) return x;
    const [batch, room, prototypes] = selection.shape;
    const perImage = tf.matMul(selection, tf.reshape(x, [batch, room, -1]), true, false);
    return tf.reshape(perImage, [batch * prototypes, -1]);
  };
  const isUsed = tf.reshape(used, [rows, 1]);
  const logits = contrastLogits(
    normalize(rank2(predicted)),
    keys,
    tf.zeros([1, rows]),
    config.contrastTemperature,
  );
  const counted = tf.mul(tf.mul(logits, isUsed), tf.reshape(candidates, [1, rows]));
  observed.set(`rowmask.${branch}`, tf.reshape(spread(isUsed), [-1]));
  observed.set(`pred.${branch}`, spread(tf.mul(predicted, isUsed)));
  observed.set(`ctr_logits.${branch}`, tf.transpose(spread(tf.transpose(spread(counted)))));
}
