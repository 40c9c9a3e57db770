import { AppError, defined } from '../lib/errors.ts';
import { exportNames } from '../nn/names.ts';
import { readSafetensorsHeader } from '../nn/safetensors.ts';
import { withPrefix } from '../nn/tensors.ts';
import type { CheckpointRow } from '../project/checkpoints.ts';
import type { Project } from '../project/project.ts';
import type { RunRow } from '../project/runs.ts';
import { modelCard } from './model-card.ts';
import { describeRunModel } from './run-description.ts';
import { weightsGuide } from './weights-guide.ts';

/** What a run can be exported as: a whole model, or weights with another library's names. */
export const exportTargets = ['onnx', 'torchvision', 'mmsegmentation', 'detectron2'] as const;
export type ExportTarget = (typeof exportTargets)[number];
export type WeightsTarget = Exclude<ExportTarget, 'onnx'>;

/** A weights file and what it fills in the other library. */
export interface WeightsFile {
  readonly path: string;
  readonly part: 'encoder' | 'decoder' | 'both';
  readonly bytes: number;
  readonly tensors: number;
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
  { target, license }: { readonly target: ExportTarget; readonly license?: string },
): ExportPlan {
  if (target === 'onnx') {
    const description = describeRunModel(project, runId, license);
    const file = `${description.name}.onnx`;
    return { files: [file], page: modelCard(description, { file }) };
  }
  const run = defined(project.runs.get(runId), `run ${runId}`);
  const { names } = readSafetensorsHeader(project.path(servedCheckpoint(project, run).file));
  const entries = Object.fromEntries(names.map((name) => [name, name]));
  const files = weightsParts(entries, target).map(({ part, weights }) => ({
    path: weightsName(run, target, part),
    part,
    tensors: Object.keys(weights).length,
  }));
  return {
    files: files.map(({ path }) => path),
    page: weightsGuide(run.name, target, files),
  };
}

/** Name of a weights file. */
export function weightsName(run: RunRow, target: WeightsTarget, part: WeightsFile['part']): string {
  const suffix = part === 'both' ? '' : `-${part}`;
  return `${run.name}-${target}${suffix}.safetensors`;
}

/** detectron2 finds names by their endings in one file; the others load each part by itself. */
export function weightsParts<T>(
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

/** @throws AppError `runs.no-model` */
export function servedCheckpoint(project: Project, run: RunRow): CheckpointRow {
  const checkpoint =
    project.checkpoints.get(run.id, 'final') ?? project.checkpoints.get(run.id, 'best');
  if (checkpoint !== undefined) return checkpoint;
  throw new AppError(
    'runs.no-model',
    `${run.name} has no finished weights yet. Let it run, or resume it with "decon resume ${run.name}".`,
  );
}
