import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { HostTensor, HostTensors } from '../../src-main/graph/types.ts';
import { AppError, defined } from '../../src-main/lib/errors.ts';
import { ENCODERS, type EncoderShape } from '../../src-main/nn/config.ts';
import { readSafetensors } from '../../src-main/nn/safetensors.ts';
import { withPrefix } from '../../src-main/nn/tensors.ts';
import type { MethodConfig } from '../../src-main/pretrain/config.ts';
import { goldenFolder } from './golden.ts';

type Metadata = Readonly<Record<string, string>>;

/** A full-step file, completed from the files it builds on. */
export interface StepFile {
  readonly name: string;
  /** What is expected: everything in the file itself but inputs and start values. */
  readonly expected: HostTensors;
  /** `crop1`, `coords1`, `flip1`, `dropmask.q1.res4`, ... */
  readonly inputs: HostTensors;
  /** Parameters and buffers before the step. */
  readonly before: HostTensors;
  readonly metadata: Metadata;
}

/** The groups that describe where a step starts; a file may leave them to the one it builds on. */
const START_GROUPS = ['in.', 'before.', 'init.'];

/**
 * Reads a full-step file. What it lacks is taken from the files that its metadata name, and from
 * the one whose name it extends (`decon_ml_fpn_released` -> `decon_ml_fpn`); they are looked for
 * beside it, then among the reference files.
 */
export function readStepFile(path: string): StepFile {
  const own = readSafetensors(path);
  const name = basename(path, '.safetensors');
  let { tensors, metadata } = own;
  for (const base of basesOf(path, name, own.metadata, own.tensors)) {
    const { tensors: more, metadata: defaults } = readSafetensors(base);
    tensors = { ...inGroups(more, START_GROUPS), ...tensors };
    metadata = { ...defaults, ...metadata };
  }
  const start = isTrajectory(tensors) ? 'init.' : 'before.';
  const isStart = (key: string): boolean => START_GROUPS.some((group) => key.startsWith(group));
  return {
    name,
    expected: Object.fromEntries(Object.entries(own.tensors).filter(([key]) => !isStart(key))),
    inputs: stripped(tensors, 'in.'),
    before: stripped(tensors, start),
    metadata,
  };
}

/** Whether a file holds several steps in a row instead of one. */
export function isTrajectory(tensors: HostTensors): boolean {
  return 'step.losses' in tensors;
}

/** Architecture and settings, from the shapes of the tensors and the metadata. */
export function methodConfig({ before, inputs, metadata }: StepFile): MethodConfig {
  const shape = (name: string): readonly number[] => defined(before[name], name).shape;
  const has = (name: string): boolean => name in before;
  const decoder = has('decoder_q.fpn_lateral2.weight')
    ? 'fpn'
    : has('decoder_q.convs.0.conv.weight')
      ? 'fcn'
      : 'none';
  const encoder = encoderShapeOf(before);
  const levels = has('decoder_q.fpn_output3.weight') ? 'multi' : 'single';
  const at = levels === 'multi' ? '.0' : '';
  const first = has('projector_q.mlp.0.weight') ? 'projector_q' : `dec_projector_q${at}`;
  const group = has('grouping_q.slot_embed.weight') ? 'grouping_q' : `dec_grouping_q${at}`;
  const second = decoder === 'none' ? first : `dec_projector_q${at}`;
  const secondGroup = decoder === 'none' ? group : `dec_grouping_q${at}`;
  const number = (keys: readonly string[], fallback: number): number =>
    Number(keys.map((key) => metadata[key]).find((value) => value !== undefined) ?? fallback);
  const channels = { fpn: 'decoder_q.fpn_lateral2.weight', fcn: 'decoder_q.convs.0.conv.weight' };
  const teacherTemperature = number(['teacher_temp'], 0.07);
  return {
    encoder,
    decoder,
    levels,
    decoderChannels: decoder === 'none' ? 1 : (shape(channels[decoder])[0] ?? 0),
    fcnForm: /ade20k|dilation=1\b/.test(metadata['fcn'] ?? '') ? 'ade20k' : 'cityscapes',
    dim: shape(`${first}.mlp.6.weight`)[0] ?? 0,
    hidden: shape(`${first}.mlp.0.weight`)[0] ?? 0,
    prototypes: shape(`${group}.slot_embed.weight`)[0] ?? 0,
    decoderHidden: shape(`${second}.mlp.0.weight`)[0] ?? 0,
    decoderPrototypes: shape(`${secondGroup}.slot_embed.weight`)[0] ?? 0,
    alpha: number(['alpha'], 0.5),
    groupWeight: number(['group_loss_weight', 'lam'], 0.5),
    decoderGroupWeight: number(['dec_group_loss_weight', 'lam_dec', 'group_loss_weight'], 0.5),
    studentTemperature: number(['student_temp'], 0.1),
    teacherTemperature,
    attentionTemperature: number(['attn_temp'], teacherTemperature),
    contrastTemperature: number(['ctr_tau'], 0.2),
    dropout: Object.keys(inputs).some((name) => name.startsWith('dropmask.')) ? 0.5 : 0,
    dropoutSite: dropoutSite(inputs, metadata, encoder),
    ema: metadata['mode'] === 'released' ? 'released' : 'consistent',
    teacherMomentum: number(['teacher_momentum'], 0.99),
    centerMomentum: number(['center_momentum'], 0.9),
  };
}

/** Teacher momentum of the encoder side and of the decoder side in this step. */
export function teacherMomenta({ metadata }: StepFile): readonly [number, number] {
  const [k, total, start] = ['ema_k', 'ema_K', 'teacher_momentum'].map((key) => metadata[key]);
  const scheduled =
    1 - ((1 - Number(start ?? 0.99)) * (1 + Math.cos((Math.PI * Number(k)) / Number(total)))) / 2;
  const encoder = Number(metadata['ema_momentum_encoder'] ?? metadata['ema_momentum'] ?? scheduled);
  return [encoder, Number(metadata['ema_momentum_decoder'] ?? encoder)];
}

function encoderShapeOf(before: HostTensors): EncoderShape {
  const stem = before['encoder_q.conv1.weight'];
  if (stem === undefined) {
    throw new AppError(
      'parity.incomplete',
      'The file has no start values (before.encoder_q.*), and neither has a file it builds on. Put that file into the same folder.',
    );
  }
  const depth = (stage: number): number => {
    const blocks = Object.keys(before).flatMap(
      (name) => new RegExp(`^encoder_q\\.layer${stage}\\.(\\d+)\\.`).exec(name)?.[1] ?? [],
    );
    return 1 + Math.max(...blocks.map(Number));
  };
  const isBottleneck = 'encoder_q.layer1.0.conv3.weight' in before;
  const block = isBottleneck ? ENCODERS.resnet50.block : ENCODERS.resnet18.block;
  return { block, depths: [depth(1), depth(2), depth(3), depth(4)], width: stem.shape[0] ?? 0 };
}

/** A mask's width tells the site, unless encoder and decoder maps are equally wide. */
function dropoutSite(
  inputs: HostTensors,
  metadata: Metadata,
  encoder: EncoderShape,
): MethodConfig['dropoutSite'] {
  const factor = encoder.block === 'bottleneck' ? 4 : 1;
  const levels = [2, 3, 4].flatMap((level) => {
    const mask = Object.entries(inputs).find(([name]) => name.endsWith(`.res${level}`))?.[1];
    return mask === undefined
      ? []
      : [{ mask: mask.shape[1], map: encoder.width * factor * 2 ** (level - 2) }];
  });
  if (levels.some(({ mask, map }) => mask !== map)) return 'after-lateral';
  if (levels.length > 1) return 'before-lateral'; // equal at several widths: no coincidence
  const says = Object.entries(metadata).flat().join(' ');
  return /before.{0,5}lateral|site\W+before/i.test(says) ? 'before-lateral' : 'after-lateral';
}

function basesOf(
  path: string,
  name: string,
  metadata: Metadata,
  tensors: HostTensors,
): readonly string[] {
  const folders = [dirname(path), goldenFolder];
  const locate = (base: string): string | undefined =>
    folders.map((folder) => join(folder, `${base}.safetensors`)).find((file) => existsSync(file));
  const mentioned = Object.values(metadata)
    .flatMap((text) => text.match(/\b(?:slotcon|decon)_\w+/g) ?? [])
    .filter((base) => base !== name);
  const hasDecoder = /fcn|fpn/.test(metadata['kind'] ?? '');
  const lacks = hasDecoder
    ? !Object.keys(tensors).some((key) => key.startsWith('before.decoder_q.'))
    : !('before.encoder_q.conv1.weight' in tensors || 'init.encoder_q.conv1.weight' in tensors);
  const extended = lacks
    ? folders
        .filter((folder) => existsSync(folder))
        .flatMap((folder) => readdirSync(folder))
        .filter((file) => file.endsWith('.safetensors'))
        .map((file) => basename(file, '.safetensors'))
        .filter((base) => name.startsWith(`${base}_`))
        .toSorted((a, b) => b.length - a.length)
    : [];
  return [...new Set([...extended.slice(0, 1), ...mentioned])].flatMap(
    (base) => locate(base) ?? [],
  );
}

function inGroups(tensors: HostTensors, prefixes: readonly string[]): HostTensors {
  return Object.fromEntries(
    Object.entries(tensors).filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix))),
  );
}

function stripped(tensors: HostTensors, prefix: string): HostTensors {
  return Object.fromEntries(
    Object.entries(withPrefix<HostTensor>(tensors, prefix)).map(([name, tensor]) => [
      name.slice(prefix.length),
      tensor,
    ]),
  );
}
