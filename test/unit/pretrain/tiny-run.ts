import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import type { TileCache } from '../../../src-main/datasets/tile-cache.ts';
import type { Device } from '../../../src-main/graph/types.ts';
import type { Progress, RunControl } from '../../../src-main/lib/progress.ts';
import { Random } from '../../../src-main/lib/random.ts';
import { PretrainOptionsSchema } from '../../../src-main/pretrain/config.ts';
import { createProject, type Project } from '../../../src-main/project/project.ts';

export const cpu: Device = { executor: 'onnxruntime', provider: 'cpu', threads: 1 };

/** A pre-training small enough for a step of a few milliseconds. */
export const tinyOptions = {
  encoder: { block: 'basic', depths: [1, 1, 1, 1], width: 8 },
  decoder: 'fpn',
  decoderChannels: 8,
  levels: 'multi',
  dim: 8,
  hidden: 16,
  prototypes: 8,
  batchSize: 4,
  cropPx: 64,
  tilePx: 64,
  learningRate: 4,
  steps: 6,
  logSteps: 1,
  seed: 3,
} as const;

/** A project in a temporary folder with one queued pre-training run. */
export function tinyProject(options: Readonly<Record<string, unknown>> = {}): {
  readonly project: Project;
  readonly runId: string;
  dispose(): void;
} {
  const folder = mkdtempSync(join(tmpdir(), 'decon-pretrain-'));
  const project = createProject(join(folder, 'tiny.decon'));
  const config = v.parse(PretrainOptionsSchema, { ...tinyOptions, ...options });
  const { id } = project.runs.create({ kind: 'pretrain', config, seed: 3, start: 'random' });
  return {
    project,
    runId: id,
    dispose: () => {
      project.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Tiles of smooth noise that were never files. */
export function noiseTiles(count = 10, tileSizePx = 64): TileCache {
  const random = new Random(9);
  const tiles = Array.from({ length: count }, () => {
    const [a, b, c] = [random.uniform(0.05, 0.4), random.uniform(0.05, 0.4), random.uniform()];
    return Uint8Array.from({ length: tileSizePx ** 2 * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % tileSizePx, Math.floor(i / 3 / tileSizePx)];
      return 127 + 120 * Math.sin(a * x + b * y + c * (i % 3));
    });
  });
  return {
    count,
    tileSizePx,
    scale: 1,
    tile: (index) => ({
      imageId: `image ${index}`,
      leftPx: 0,
      topPx: 0,
      widthPx: tileSizePx,
      heightPx: tileSizePx,
    }),
    readImages: (indices, target) => {
      Array.from(indices).forEach((index, i) => {
        target.set(tiles[index] ?? [], i * tileSizePx ** 2 * 3);
      });
    },
    readMasks: () => undefined,
    dispose: () => undefined,
  };
}

/** A control that asks for something once `after` steps are done, and keeps what it is told. */
export function control(
  request: { readonly what: 'pause' | 'stop' | 'cancel'; readonly after: number } | null = null,
): RunControl & { readonly notices: string[]; readonly reports: Progress[] } {
  const abort = new AbortController();
  const notices: string[] = [];
  const reports: Progress[] = [];
  return {
    signal: abort.signal,
    requested: () => {
      const done = reports.at(-1)?.done ?? 0;
      if (request === null || request.what === 'cancel' || done < request.after) return 'none';
      return request.what;
    },
    report: (progress) => {
      reports.push(progress);
      if (request?.what === 'cancel' && progress.done >= request.after) abort.abort();
    },
    notice: (message) => void notices.push(message),
    notices,
    reports,
  };
}
