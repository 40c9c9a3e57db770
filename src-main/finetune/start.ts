import { basename } from 'node:path';
import type { HostTensors } from '../graph/types.ts';
import { AppError, assertNever } from '../lib/errors.ts';
import type { Random } from '../lib/random.ts';
import type { SegmentationConfig } from '../nn/config.ts';
import { canonicalName, isStatistic, renamed, teacherWeights } from '../nn/names.ts';
import { readSafetensors } from '../nn/safetensors.ts';
import { segmentationParams } from '../nn/segmentation.ts';
import { withPrefix } from '../nn/tensors.ts';
import { describeLoad, loadWeights } from '../nn/weights.ts';
import type { Project } from '../project/project.ts';
import type { FinetuneStart } from './config.ts';

/** Weights to start from, and which of them somebody trained before. */
export interface StartWeights {
  readonly params: HostTensors;
  /** Names of the trained parameters that did not start at random. */
  readonly pretrained: ReadonlySet<string>;
  /** What was and was not taken over, in sentences. */
  readonly notices: readonly string[];
}

/**
 * The network's first weights. From a pre-training run the teacher's weights are taken (spec 8.1).
 * A decoder that differs from the pre-trained one starts at random, which a notice says; an encoder
 * that differs is an error, because nothing would be left of the pre-training.
 * @throws AppError `weights.*`, `runs.*`
 */
export function startWeights(
  project: Project,
  start: FinetuneStart,
  network: SegmentationConfig,
  random: Random,
): StartWeights {
  const fresh = segmentationParams(network, random);
  switch (start.type) {
    case 'random':
      return { params: fresh, pretrained: new Set(), notices: [] };
    case 'encoder':
      return taken(fresh, runWeights(project, start.run), false);
    case 'encoder+decoder':
      return taken(fresh, runWeights(project, start.run), true);
    case 'file':
      return taken(fresh, fileWeights(start.path), true);
    default:
      return assertNever(start);
  }
}

/** Names of the parameters that training changes by gradient. */
export function trainableNames(params: HostTensors): string[] {
  return Object.keys(params).filter((name) => !isStatistic(name));
}

interface Source {
  /** As a sentence names it, e.g. `The run "pretrain-1"`. */
  readonly label: string;
  readonly tensors: HostTensors;
}

function taken(fresh: HostTensors, source: Source, withDecoder: boolean): StartWeights {
  const encoder = loadWeights(fresh, withPrefix(source.tensors, 'encoder.'), ['encoder.']);
  const gaps = [...encoder.report.missing, ...encoder.report.mismatched.map(({ name }) => name)];
  if (gaps.length > 0) {
    throw new AppError(
      'weights.other-encoder',
      `${source.label} holds another encoder than the chosen one. ${describeLoad(encoder.report).join(' ')} Choose the same encoder.`,
    );
  }
  const notices = [`${source.label}: the encoder is taken over.`];
  const decoder = withDecoder ? decoderOf(encoder.tensors, source) : undefined;
  if (decoder !== undefined) notices.push(decoder.notice);
  const params = decoder?.params ?? encoder.tensors;
  const loaded = [...encoder.report.loaded, ...(decoder?.loaded ?? [])];
  return {
    params,
    pretrained: new Set(loaded.filter((name) => !isStatistic(name))),
    notices,
  };
}

/** The trained weights of a run: the teacher of a pre-training, the served network of a fine-tuning. */
function runWeights(project: Project, runId: string): Source {
  const run = project.runs.get(runId);
  if (run === undefined) {
    throw new AppError('runs.missing', 'The run to start from is no longer in this project.');
  }
  const checkpoint =
    project.checkpoints.get(runId, 'final') ?? project.checkpoints.get(runId, 'latest');
  if (checkpoint === undefined) {
    throw new AppError(
      'runs.no-weights',
      `The run "${run.name}" has no weights yet. Let it train until its first checkpoint.`,
    );
  }
  const { tensors } = readSafetensors(project.path(checkpoint.file));
  const teacher = teacherWeights(tensors);
  const isPretraining = Object.keys(teacher).length > 0;
  return { label: `The run "${run.name}"`, tensors: isPretraining ? teacher : tensors };
}

function fileWeights(path: string): Source {
  const { tensors } = readSafetensors(path);
  return { label: `The file ${basename(path)}`, tensors: renamed(tensors, canonicalName) };
}

interface DecoderStart {
  readonly params: HostTensors;
  readonly loaded: readonly string[];
  readonly notice: string;
}

/** All of the decoder, or nothing: a half-filled decoder would be neither start. */
function decoderOf(params: HostTensors, { label, tensors }: Source): DecoderStart {
  const offered = withPrefix(tensors, 'decoder.');
  const wanted = Object.keys(withPrefix(params, 'decoder.'));
  const freshly = (why: string): DecoderStart => ({
    params,
    loaded: [],
    notice: `${label}: the decoder ${why}, so the decoder starts with random weights.`,
  });
  if (wanted.length === 0) return freshly('is not used by the chosen network');
  if (Object.keys(offered).length === 0) return freshly('is not in there');
  const fits = wanted.every((name) => `${offered[name]?.shape}` === `${params[name]?.shape}`);
  if (!fits) return freshly('differs from the chosen one');
  const { tensors: filled, report } = loadWeights(params, offered, ['decoder.']);
  return { params: filled, loaded: report.loaded, notice: `${label}: the decoder is taken over.` };
}
