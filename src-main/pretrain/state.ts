import type { HostTensors } from '../graph/types.ts';
import type { Random } from '../lib/random.ts';
import { encoderShape } from '../nn/config.ts';
import { initDecoder } from '../nn/decoder.ts';
import { initHead } from '../nn/heads.ts';
import { constant, named, normal } from '../nn/initialization.ts';
import { isBatchCounter, isStatistic } from '../nn/names.ts';
import { initEncoder } from '../nn/resnet.ts';
import type { MethodConfig } from './config.ts';
import { lossLevels } from './levels.ts';

/**
 * The whole state at the start: student, teacher (equal to the student), predictors and centers,
 * with the names of spec 10.1. Prototypes are standard normal, centers 0.
 */
export function initPretrainState(config: MethodConfig, random: Random): HostTensors {
  const levels = lossLevels(config);
  const { dim } = config;
  const student = {
    ...initEncoder(encoderShape(config.encoder), 'encoder_q', random),
    ...initDecoder(config, 'decoder_q', random),
    ...merged(levels, ({ names, channels: inputs, hidden }) =>
      initHead({ inputs, hidden, outputs: dim, kind: 'projector' }, names.projector.q, random),
    ),
    ...merged(levels, ({ names, prototypes }) =>
      named([[prototypeName(names.grouping.q), () => normal([prototypes, dim], 1, random)]]),
    ),
  };
  return {
    ...student,
    ...teacherCopy(student),
    ...merged(levels, ({ names, hidden }) =>
      initHead({ inputs: dim, hidden, outputs: dim, kind: 'predictor' }, names.predictor, random),
    ),
    ...merged(levels, ({ names, prototypes }) =>
      named([[names.center, () => constant([1, prototypes], 0)]]),
    ),
  };
}

/** The table of prototypes under a grouping prefix. */
export function prototypeName(grouping: string): string {
  return `${grouping}.slot_embed.weight`;
}

/** Trained by the optimizer: everything of the student and the predictors but statistics. */
export function isStudentParameter(name: string): boolean {
  return (
    /(^|_)(encoder_q|decoder_q|projector_q|grouping_q|predictor_slot)\./.test(name) &&
    !isBuffer(name)
  );
}

/** Averaged from the student. */
export function isTeacherParameter(name: string): boolean {
  return /(^|_)(encoder_k|decoder_k|projector_k|grouping_k)\./.test(name) && !isBuffer(name);
}

/** The student's tensor that a teacher's tensor follows. */
export function studentName(teacherName: string): string {
  return teacherName.replace(/_k\./, '_q.');
}

function isBuffer(name: string): boolean {
  return name.startsWith('optimizer.') || isStatistic(name) || isBatchCounter(name);
}

function teacherCopy(student: HostTensors): HostTensors {
  return Object.fromEntries(
    Object.entries(student).map(([name, tensor]) => [
      name.replace(/_q\./, '_k.'),
      { ...tensor, data: tensor.data.slice() },
    ]),
  );
}

function merged<T>(items: readonly T[], make: (item: T) => HostTensors): HostTensors {
  return Object.fromEntries(items.flatMap((item) => Object.entries(make(item))));
}
