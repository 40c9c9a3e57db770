import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { basename, isAbsolute, join, relative, sep } from 'node:path';
import type { HostTensors } from '../graph/types.ts';
import { defined } from '../lib/errors.ts';
import { writeFileAtomic } from '../lib/files.ts';
import { imagenetMean, imagenetStd } from '../nn/image-ops.ts';
import { readSafetensors, writeSafetensors } from '../nn/safetensors.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import {
  servedCheckpoint,
  weightsName,
  weightsParts,
  type ExportTarget,
  type WeightsFile,
  type WeightsTarget,
} from './export-plan.ts';
import { modelCard } from './model-card.ts';
import { writeModelFile } from './model-file.ts';
import { readRunModel } from './run-model.ts';
import { weightsGuide } from './weights-guide.ts';

export interface ExportOptions {
  readonly target: ExportTarget;
  /** Default: the project's `models` folder. */
  readonly outDir?: string;
  /** Of the exported weights, for the card; free text. */
  readonly license?: string;
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
  const files = weightsParts(tensors, target).map(({ part, weights }): WeightsFile => {
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

function servedWeights(project: Project, run: RunRow): HostTensors {
  return readSafetensors(project.path(servedCheckpoint(project, run).file)).tensors;
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
