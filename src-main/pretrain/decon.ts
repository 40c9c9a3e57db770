import * as tf from '@tensorflow/tfjs-core';
import type { Scalar, Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { NamedTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import { encoderShape } from '../nn/config.ts';
import { applyDecoder } from '../nn/decoder.ts';
import type { ChannelDropout } from '../nn/fpn.ts';
import { applyHead } from '../nn/heads.ts';
import type { Mode } from '../nn/mode.ts';
import { isStatistic } from '../nn/names.ts';
import { gradientsOf } from '../nn/objective.ts';
import { applyEncoder, type EncoderMaps } from '../nn/resnet.ts';
import { pixelRows, rowsAsMap } from '../nn/convolution.ts';
import { nextStatistics, type BatchStatistics } from '../nn/running-statistics.ts';
import { parameter } from '../nn/tensors.ts';
import type { MethodConfig } from './config.ts';
import { nextCenter, type Overlap, type Slots } from './grouping.ts';
import { healthTensors } from './health-tensors.ts';
import { lossLevels, type LossLevel, type Side } from './levels.ts';
import { slotconLosses, slotsOf, type LevelLosses, type Observed } from './slotcon.ts';
import { isStudentParameter } from './state.ts';
import { updateTeacher } from './teacher.ts';
import { both, ofViews, type Pair } from './two-views.ts';

/** Both crops of every image, normalized, and where they overlap. */
export interface Views {
  /** `[2 * batch, height, width, 3]`: view 1 of all images, then view 2. */
  readonly crops: Tensor4D;
  readonly overlaps: Pair<Overlap>;
}

/** The forward passes of a step: student and teacher, view 1 and 2. */
export type Branch = 'q1' | 'q2' | 'k1' | 'k2';

export interface DeconInputs {
  readonly views: Views;
  /** `[2]`: 1 - momentum of the teacher's encoder side, and of its decoder side. */
  readonly teacherRate: Tensor;
  /** Independent masks for every branch; absent without channel dropout. */
  readonly dropout?: Readonly<Record<Branch, ChannelDropout>>;
  /** `[1]`: factor on the loss while gradients are computed; they are divided by it afterwards. */
  readonly lossScale?: Tensor;
}

export interface DeconResult {
  /** Of the total loss, for every student parameter. */
  readonly gradients: NamedTensors;
  /** Next values of everything but student parameters: teacher, running statistics, centers. */
  readonly buffers: NamedTensors;
  /** Loss parts and what health is judged from. */
  readonly outputs: NamedTensors;
  /** Intermediate values, when asked for. */
  readonly observed: NamedTensors;
}

/**
 * One DeCon step up to the optimizer (spec 4.7, 6.4): teacher update, teacher and student forward,
 * SlotCon losses at the encoder and at every decoder level, centers, gradients. With decoder `none`
 * it is SlotCon. The teacher's update uses the student as the last step left it, so it may come
 * first.
 */
export function deconStep(
  config: MethodConfig,
  state: NamedTensors,
  inputs: DeconInputs,
  options: { readonly observe?: boolean } = {},
): DeconResult {
  const levels = lossLevels(config);
  const observed: Observed = new Map();
  const observer = options.observe === true ? observed : undefined;

  const teacher = updateTeacher(config, state, inputs.teacherRate);
  const averaged = { ...state, ...teacher.used };
  const teacherStatistics: BatchStatistics[] = [];
  const teacherSlots = project(config, averaged, 'k', inputs, teacherStatistics, observer).map(
    (projections, i) => slotsOf(config, defined(levels[i], 'level'), averaged, 'k', projections),
  );

  const outputs = new Map<string, Tensor>();
  const seen: Observed = new Map();
  const { grads, side } = gradientsOf(pick(state, isStudentParameter), () => {
    const statistics: BatchStatistics[] = [];
    const projections = project(config, state, 'q', inputs, statistics, observer && seen);
    const losses = levels.map((level, i) => {
      const views = defined(projections[i], level.label);
      const student = slotsOf(config, level, state, 'q', views);
      const slots = { student, teacher: defined(teacherSlots[i], level.label) };
      collectHealth(level, views[0], slots, outputs);
      const mode = { training: true, statistics };
      const tested = level.label === 'encoder' ? observer && seen : undefined;
      return slotconLosses(config, level, state, slots, inputs.views.overlaps, mode, tested);
    });
    const loss = totalLoss(levels, losses, outputs);
    const side = {
      ...nextStatistics(state, statistics),
      ...Object.fromEntries([...outputs, ...seen]),
    };
    return { loss, side, scale: inputs.lossScale };
  });
  return {
    gradients: grads,
    buffers: {
      ...teacher.next,
      ...nextStatistics(state, teacherStatistics),
      ...nextCenters(config, levels, state, teacherSlots),
      ...pick(side, isStatistic),
    },
    outputs: pick(side, (name) => outputs.has(name)),
    observed: { ...Object.fromEntries(observed), ...pick(side, (name) => seen.has(name)) },
  };
}

/**
 * Projections of both views at every loss level, view 1 first. The encoder and its projector take both at
 * once, which halves the number of operations and makes small products larger; only their batch norms
 * keep the views apart. The finer maps of a decoder are large enough, and twice as large they would
 * need more memory and leave the caches: these are made of one view after the other.
 */
function project(
  config: MethodConfig,
  params: NamedTensors,
  side: Side,
  { views, dropout }: DeconInputs,
  statistics: BatchStatistics[],
  observed: Observed | undefined,
): readonly Pair<Tensor4D>[] {
  const mode: Mode = { training: true, statistics };
  const ofBoth: Mode = { ...mode, batches: 2 };
  const encoder = `encoder_${side}`;
  const joined = applyEncoder(encoderShape(config.encoder), params, encoder, views.crops, ofBoth);
  const levels = lossLevels(config);
  const encoderLevels = levels
    .filter(({ output }) => output < 0)
    .map(({ names, label }) => {
      const projections = applyProjector(params, names.projector[side], joined.c5, ofBoth);
      return [label, ofViews(projections)] as const;
    });
  const ofEncoder = new Map(encoderLevels);
  const [first, second] = both(mapsOfViews(joined), (maps, view) => {
    const masks = dropout?.[`${side}${view}`];
    const outputs = applyDecoder(config, params, `decoder_${side}`, maps, mode, masks);
    const projections = levels.map((level) => {
      const made = ofEncoder.get(level.label)?.[view - 1];
      if (made !== undefined) return made;
      const map = defined(outputs[level.output], level.label);
      return applyProjector(params, level.names.projector[side], map, mode);
    });
    if (observed !== undefined) {
      observeMaps(observed, { side, view, maps, outputs, levels, projections });
    }
    return projections;
  });
  return levels.map(({ label }, i) => [defined(first[i], label), defined(second[i], label)]);
}

function mapsOfViews({ stem, c2, c3, c4, c5 }: EncoderMaps): Pair<EncoderMaps> {
  const [stems, c2s, c3s, c4s, c5s] = [
    ofViews(stem),
    ofViews(c2),
    ofViews(c3),
    ofViews(c4),
    ofViews(c5),
  ];
  const ofView = (i: 0 | 1): EncoderMaps => ({
    stem: stems[i],
    c2: c2s[i],
    c3: c3s[i],
    c4: c4s[i],
    c5: c5s[i],
  });
  return [ofView(0), ofView(1)];
}

/** The projector on every pixel of `[batch, height, width, channels]`. */
export function applyProjector(
  params: NamedTensors,
  prefix: string,
  map: Tensor4D,
  mode: Mode,
): Tensor4D {
  return rowsAsMap(applyHead(params, prefix, pixelRows(map), mode), map.shape);
}

/**
 * alpha L_encoder + (1 - alpha) mean of L_level, each level's loss being groupWeight L_group +
 * (1 - groupWeight) L_contrast. The weighted parts are logged as the reference does.
 */
function totalLoss(
  levels: readonly LossLevel[],
  losses: readonly LevelLosses[],
  outputs: Map<string, Tensor>,
): Scalar {
  const perLevel = levels.map(({ label, groupWeight }, i) => {
    const { group, contrast } = defined(losses[i], label);
    const parts = {
      group: tf.mul(group, groupWeight),
      contrast: tf.mul(contrast, 1 - groupWeight),
    };
    const loss = tf.add<Scalar>(parts.group, parts.contrast);
    outputs.set(`loss.${label}.group`, parts.group);
    outputs.set(`loss.${label}.contrast`, parts.contrast);
    outputs.set(`loss.${label}`, loss);
    return loss;
  });
  const total = levels
    .map(({ weight, label }, i) => tf.mul<Scalar>(defined(perLevel[i], label), weight))
    .reduce((sum, loss) => tf.add(sum, loss));
  outputs.set('loss.total', total);
  return total;
}

function nextCenters(
  config: MethodConfig,
  levels: readonly LossLevel[],
  state: NamedTensors,
  slots: readonly Pair<Slots>[],
): NamedTensors {
  return Object.fromEntries(
    levels.map(({ names, label }, i) => {
      const [first, second] = defined(slots[i], label);
      const center = parameter(state, names.center);
      return [
        names.center,
        nextCenter(center, [first.scores, second.scores], config.centerMomentum),
      ];
    }),
  );
}

/** Health figures from view 1, on at most `HEALTH_PIXELS` evenly spread pixels. */
function collectHealth(
  { label }: LossLevel,
  projections: Tensor4D,
  { student, teacher }: { readonly student: Pair<Slots>; readonly teacher: Pair<Slots> },
  outputs: Map<string, Tensor>,
): void {
  const sample = (x: Tensor): Tensor => {
    const rows = tf.reshape(x, [-1, x.shape.at(-1) ?? 1]);
    const [count = 1, width = 1] = rows.shape;
    const stride = Math.ceil(count / HEALTH_PIXELS);
    if (stride === 1) return rows;
    const whole = Math.floor(count / stride);
    const grouped = tf.reshape(tf.slice(rows, [0, 0], [whole * stride, width]), [whole, -1]);
    return tf.slice(grouped, [0, 0], [whole, width]);
  };
  const figures = healthTensors(
    label,
    sample(projections),
    sample(student[0].choice),
    sample(teacher[0].choice),
  );
  for (const [name, tensor] of Object.entries(figures)) outputs.set(name, tensor);
}

function observeMaps(
  observed: Observed,
  pass: {
    readonly side: Side;
    readonly view: 1 | 2;
    readonly maps: EncoderMaps;
    readonly outputs: readonly Tensor4D[];
    readonly levels: readonly LossLevel[];
    readonly projections: readonly Tensor4D[];
  },
): void {
  const { side, view, maps, outputs, levels, projections } = pass;
  const at = `${side === 'q' ? 'x' : 'y'}${view}`;
  const see = (name: string, map: Tensor4D): void => {
    observed.set(`act.${name}`, tf.transpose(map, [0, 3, 1, 2]));
  };
  see(`stem_${side}.${at}`, maps.stem);
  see(`enc_${side}.layer1.${at}`, maps.c2);
  see(`enc_${side}.layer2.${at}`, maps.c3);
  see(`enc_${side}.layer3.${at}`, maps.c4);
  see(`enc_${side}.${at}`, maps.c5);
  outputs.forEach((map, i) => {
    see(`dec_${side}.${at}.${i}`, map);
  });
  levels.forEach(({ output }, i) => {
    const name = output < 0 ? `proj_${side}.${at}` : `dec_proj_${side}.${at}.${output}`;
    see(name, defined(projections[i], name));
  });
}

function pick(tensors: NamedTensors, isWanted: (name: string) => boolean): NamedTensors {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => isWanted(name)));
}

const HEALTH_PIXELS = 1024;
