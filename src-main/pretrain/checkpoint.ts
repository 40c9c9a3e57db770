import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import * as v from 'valibot';
import type { HostTensors } from '../graph/types.ts';
import { requireFreeSpace, writeFileAtomic } from '../lib/files.ts';
import { log } from '../lib/log.ts';
import { readSafetensors, safetensorsChunks } from '../nn/safetensors.ts';
import type { CheckpointKind } from '../project/checkpoints.ts';
import type { Project } from '../project/project.ts';

const positionSchema = v.object({
  /** Finished steps. */
  step: v.number(),
  /** How many times training went back because a loss was no longer a number. */
  rollbacks: v.number(),
  /** Factor on the learning rate: one half for each of them. */
  rateFactor: v.number(),
  /** Time spent in steps so far. */
  trainedSeconds: v.number(),
});

/** Where training stands. What is drawn at a step follows from the seed, the step and `rollbacks`. */
export type Position = Readonly<v.InferOutput<typeof positionSchema>>;

export interface Checkpoint {
  readonly state: HostTensors;
  readonly position: Position;
}

/** Kinds that hold everything a resume needs. */
export type ResumableKind = Extract<CheckpointKind, 'latest' | 'healthy'>;

export const startPosition: Position = {
  step: 0,
  rollbacks: 0,
  rateFactor: 1,
  trainedSeconds: 0,
};

/**
 * Writes the whole training state and records it as the run's checkpoint of the given kinds. A crash
 * at any moment leaves the earlier checkpoint or this one.
 * @throws AppError `disk.full`, `disk.write-failed`
 */
export function writeCheckpoint(
  project: Project,
  runId: string,
  { state, position }: Checkpoint,
  options: { readonly kinds: readonly ResumableKind[]; readonly config: unknown },
): void {
  const name = `checkpoint-${position.step}-${position.rollbacks}.safetensors`;
  const written = writeTensors(project, join(project.runFolder(runId), name), state, {
    format: 'decon-pretrain-checkpoint',
    version: '1',
    position: JSON.stringify(position),
    config: JSON.stringify(options.config),
  });
  project.durably(() => {
    for (const kind of options.kinds) {
      project.checkpoints.put({ runId, kind, step: position.step, ...written });
    }
  });
  removeUnlisted(project, runId);
}

/** The first of the given checkpoints that exists and is intact. */
export function readCheckpoint(
  project: Project,
  runId: string,
  kinds: readonly ResumableKind[],
): Checkpoint | undefined {
  for (const kind of kinds) {
    const row = project.checkpoints.get(runId, kind);
    if (row === undefined) continue;
    try {
      const { tensors, metadata } = readSafetensors(project.path(row.file));
      const position = v.parse(positionSchema, JSON.parse(metadata['position'] ?? ''));
      return { state: tensors, position };
    } catch (error) {
      log('warn', 'pretrain', 'A checkpoint could not be read.', { file: row.file, error });
    }
  }
  return undefined;
}

/** Writes tensors atomically; returns what the database keeps of the file. */
export function writeTensors(
  project: Project,
  path: string,
  tensors: HostTensors,
  metadata: Readonly<Record<string, string>>,
): { readonly file: string; readonly bytes: number; readonly sha256: string } {
  const needed = Object.values(tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
  requireFreeSpace(dirname(path), needed);
  const hash = createHash('sha256');
  let bytes = 0;
  function* hashed(): Generator<Uint8Array> {
    for (const chunk of safetensorsChunks(tensors, metadata)) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      yield chunk;
    }
  }
  writeFileAtomic(path, hashed());
  const file = relative(project.dir, path).split(sep).join('/');
  return { file, bytes, sha256: hash.digest('hex') };
}

/** Removes checkpoint files of the run that no row names any more, also after a crash. */
function removeUnlisted(project: Project, runId: string): void {
  const folder = project.runFolder(runId);
  const listed = new Set(project.checkpoints.list(runId).map(({ file }) => project.path(file)));
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (name.startsWith('checkpoint-') && !listed.has(path))
      rmSync(path, { force: true, recursive: true });
  }
}
