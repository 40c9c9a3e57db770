import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { basename, isAbsolute, join, relative, sep } from 'node:path';
import type { HostTensors } from '../graph/types.ts';
import { AppError, defined } from '../lib/errors.ts';
import { writeFileAtomic } from '../lib/files.ts';
import { imagenetMean, imagenetStd } from '../nn/image-ops.ts';
import { exportNames } from '../nn/names.ts';
import { readSafetensors, readSafetensorsHeader, writeSafetensors } from '../nn/safetensors.ts';
import { withPrefix } from '../nn/tensors.ts';
import type { CheckpointRow } from '../project/checkpoints.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import { modelCard } from './model-card.ts';
import { writeModelFile } from './model-file.ts';
import { describeRunModel, readRunModel } from './run-model.ts';
import { weightsGuide } from './weights-guide.ts';

/** What a run can be exported as: a whole model, or weights with another library's names. */
export const exportTargets = ['onnx', 'torchvision', 'mmsegmentation', 'detectron2'] as const;
export type ExportTarget = (typeof exportTargets)[number];
export type WeightsTarget = Exclude<ExportTarget, 'onnx'>;

export interface ExportOptions {
  readonly target: ExportTarget;
  /** Default: the project's `models` folder. */
  readonly outDir?: string;
  /** Of the exported weights, for the card; free text. */
  readonly license?: string;
}

/** A weights file and what it fills in the other library. */
export interface WeightsFile {
  readonly path: string;
  readonly part: 'encoder' | 'decoder' | 'both';
  readonly bytes: number;
  readonly tensors: number;
}

export interface ExportSummary {
  readonly target: ExportTarget;
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  /** The page that says what the files are and how to use them. */
  readonly card: string;
  /** ONNX only: largest difference to the training graph. */
  readonly maxDifference?: number;
}

/**
 * Writes a run's model for use elsewhere, with a page about it beside it: an ONNX file (fine-tuned
 * runs), or safetensors with the names of torchvision, mmsegmentation or detectron2 (every run;
 * encoder and decoder without classifier, the teacher's after pre-training; spec sections 8, 10.2).
 * @throws AppError `runs.no-model`, `model.mismatch`, `disk.*`
 */
export async function exportRun(
  project: Project,
  runId: string,
  options: ExportOptions,
): Promise<ExportSummary> {
  const folder = options.outDir ?? project.path('models');
  mkdirSync(folder, { recursive: true });
  return options.target === 'onnx'
    ? exportModel(project, runId, folder, options.license)
    : exportWeights(project, runId, folder, options.target);
}

async function exportModel(
  project: Project,
  runId: string,
  folder: string,
  license: string | undefined,
): Promise<ExportSummary> {
  const { params, description } = readRunModel(project, runId, license);
  const path = join(folder, `${description.name}.onnx`);
  const written = await writeModelFile(path, params, description);
  const { bytes, sha256, maxDifference } = written;
  const card = join(folder, `${description.name}.md`);
  writeText(card, modelCard(description, { file: basename(path), maxDifference }));
  const facts = { maxDifference, tileSizePx: description.tileSizePx };
  record(project, { runId, format: 'onnx', file: stored(project, path), bytes, sha256, facts });
  return { target: 'onnx', files: [{ path, bytes }], card, maxDifference };
}

function exportWeights(
  project: Project,
  runId: string,
  folder: string,
  target: WeightsTarget,
): ExportSummary {
  const run = defined(project.runs.get(runId), `run ${runId}`);
  const tensors = servedWeights(project, run);
  const files = parts(tensors, target).map(({ part, weights }): WeightsFile => {
    const path = join(folder, weightsName(run, target, part));
    const bytes = writeSafetensors(weights, {
      format: 'pt',
      source: `DeCon Studio, run ${run.name}`,
      normalization: JSON.stringify({ mean: imagenetMean, std: imagenetStd, range: 'RGB 0..1' }),
    });
    writeFileAtomic(path, [bytes]);
    record(project, {
      runId,
      format: `safetensors-${target}`,
      file: stored(project, path),
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      facts: { part },
    });
    return { path, part, bytes: bytes.length, tensors: Object.keys(weights).length };
  });
  const card = join(folder, `${run.name}-${target}.md`);
  writeText(card, weightsGuide(run.name, target, files));
  return { target, files, card };
}

/** What an export would write, known from the header of the weights alone. */
export interface ExportPlan {
  /** Names of the model or weights files. */
  readonly files: readonly string[];
  /** The page beside them, as Markdown. */
  readonly page: string;
}

/**
 * Says what an export would write.
 * @throws AppError `runs.no-model`
 */
export function planExport(
  project: Project,
  runId: string,
  { target, license }: Pick<ExportOptions, 'target' | 'license'>,
): ExportPlan {
  if (target === 'onnx') {
    const description = describeRunModel(project, runId, license);
    const file = `${description.name}.onnx`;
    return { files: [file], page: modelCard(description, { file }) };
  }
  const run = defined(project.runs.get(runId), `run ${runId}`);
  const { names } = readSafetensorsHeader(project.path(servedCheckpoint(project, run).file));
  const entries = Object.fromEntries(names.map((name) => [name, name]));
  const files = parts(entries, target).map(({ part, weights }) => ({
    path: weightsName(run, target, part),
    part,
    tensors: Object.keys(weights).length,
  }));
  return {
    files: files.map(({ path }) => path),
    page: weightsGuide(run.name, target, files),
  };
}

function weightsName(run: RunRow, target: WeightsTarget, part: WeightsFile['part']): string {
  const suffix = part === 'both' ? '' : `-${part}`;
  return `${run.name}-${target}${suffix}.safetensors`;
}

/** detectron2 finds names by their endings in one file; the others load each part by itself. */
function parts<T>(
  tensors: Readonly<Record<string, T>>,
  target: WeightsTarget,
): readonly {
  readonly part: WeightsFile['part'];
  readonly weights: Readonly<Record<string, T>>;
}[] {
  const named = (prefix: string): Readonly<Record<string, T>> =>
    exportNames(withPrefix(tensors, prefix), target);
  const encoder = named('encoder.');
  const decoder = named('decoder.');
  if (target === 'detectron2') return [{ part: 'both', weights: { ...encoder, ...decoder } }];
  const hasDecoder = Object.keys(decoder).length > 0;
  return [
    { part: 'encoder', weights: encoder },
    ...(hasDecoder ? [{ part: 'decoder' as const, weights: decoder }] : []),
  ];
}

function servedWeights(project: Project, run: RunRow): HostTensors {
  return readSafetensors(project.path(servedCheckpoint(project, run).file)).tensors;
}

function servedCheckpoint(project: Project, run: RunRow): CheckpointRow {
  const checkpoint =
    project.checkpoints.get(run.id, 'final') ?? project.checkpoints.get(run.id, 'best');
  if (checkpoint !== undefined) return checkpoint;
  throw new AppError(
    'runs.no-model',
    `${run.name} has no finished weights yet. Let it run, or resume it with "decon resume ${run.name}".`,
  );
}

/** Notes a written file, in place of an earlier one of that name. */
function record(project: Project, model: Parameters<Project['models']['add']>[0]): void {
  project.transaction(() => {
    for (const { id, file } of project.models.list(model.runId ?? undefined)) {
      if (file === model.file) project.models.remove(id);
    }
    project.models.add(model);
  });
}

/** Relative inside the project, absolute elsewhere; always with `/`. */
function stored(project: Project, path: string): string {
  const inside = relative(project.dir, path);
  const isInside = !isAbsolute(inside) && !inside.startsWith('..');
  return (isInside ? inside : path).split(sep).join('/');
}

function writeText(path: string, text: string): void {
  writeFileAtomic(path, [new TextEncoder().encode(text)]);
}
