import { compileStep, type BatchData } from '../graph/compile.ts';
import { requireHalf } from '../graph/half-device.ts';
import type { Device } from '../graph/types.ts';
import { defined, throwIfCancelled } from '../lib/errors.ts';
import type { RunControl } from '../lib/progress.ts';
import { Random } from '../lib/random.ts';
import type { TileCache } from '../datasets/tile-cache.ts';
import { BatchMaker } from './batches.ts';
import type { PretrainConfig } from './config.ts';
import { predictMemory } from './memory.ts';
import type { Pace, PaceStore } from './pace-store.ts';
import { watchPeakMemory } from './peak-memory.ts';
import { stepOperations } from './size.ts';
import { buildPretrainStep, initialState, pretrainBatchSpecs } from './step.ts';

/** Steps of one set of settings: the first also allocates and does not count. */
const maxSteps = 6;
/** No further step begins after this; three plans stay under 90 seconds in all. */
const secondsEach = 18;
const secondsInAll = 70;

/**
 * Compiles the real step of every config and runs a few, on random tiles, and keeps what they took.
 * The lightest goes first: where a system cannot forget an earlier peak of memory, each finds its own.
 * @throws CancelledError, AppError `device.*`
 */
export async function measurePaces(
  configs: readonly PretrainConfig[],
  device: { readonly name: string; readonly device: Device },
  parts: { readonly store: PaceStore; readonly control: RunControl },
): Promise<{ readonly measured: number }> {
  const { store, control } = parts;
  const started = performance.now();
  const ordered = [...configs].sort((a, b) => predictMemory(a) - predictMemory(b));
  let measured = 0;
  for (const [i, config] of ordered.entries()) {
    if (performance.now() - started > secondsInAll * 1000 || control.requested() !== 'none') break;
    const pace = await measureOne(config, device.device, control, (share) =>
      control.report({
        phase: 'Measuring this machine',
        done: Math.round(100 * (i + share)),
        total: 100 * ordered.length,
        unit: 'step',
      }),
    );
    store.add(config, device.name, pace);
    measured++;
  }
  return { measured };
}

async function measureOne(
  config: PretrainConfig,
  device: Device,
  control: RunControl,
  onProgress: (share: number) => void,
): Promise<Pace> {
  throwIfCancelled(control.signal);
  onProgress(0);
  if (config.precision === 'half') await requireHalf(device);
  const peakBytes = watchPeakMemory();
  const state = initialState(config);
  const compiled = await compileStep(buildPretrainStep(config), {
    state,
    batch: pretrainBatchSpecs(config),
    device,
    precision: config.precision,
    label: 'pretrain',
    ownsState: true,
  });
  try {
    const { traceMs, compileMs } = compiled.info;
    const batch: BatchData = new BatchMaker(config, randomTiles(config)).make(firstStep);
    const begun = performance.now();
    const times: number[] = [];
    while (times.length < maxSteps && performance.now() - begun < secondsEach * 1000) {
      throwIfCancelled(control.signal);
      if (times.length > 0 && control.requested() !== 'none') break;
      onProgress((times.length + 1) / (maxSteps + 1));
      const before = performance.now();
      await compiled.run(batch);
      times.push((performance.now() - before) / 1000);
    }
    // As in a training: the state of a checkpoint and that of the model at the end.
    const copies = [await compiled.readState(), await compiled.readState()];
    const mostBytes = peakBytes();
    copies.length = 0;
    const [first, ...warm] = times;
    const sorted = warm.sort((a, b) => a - b);
    const secondsPerStep = defined(sorted[Math.floor(sorted.length / 2)] ?? first, 'a step');
    return {
      secondsPerStep,
      peakBytes: mostBytes,
      compileSeconds: (traceMs + compileMs) / 1000,
      gigaflops: stepOperations(config) / secondsPerStep / 1e9,
    };
  } finally {
    await compiled.dispose();
  }
}

const firstStep = { step: 0, rollbacks: 0, rateFactor: 1 };

/** One batch of tiles of noise: what a step costs does not depend on what they show. */
function randomTiles({ batchSize, tilePx, scale }: PretrainConfig): TileCache {
  const random = new Random(1);
  const pixels = Uint8Array.from({ length: batchSize * tilePx * tilePx * 3 }, () =>
    random.integer(256),
  );
  return {
    count: batchSize,
    tileSizePx: tilePx,
    scale,
    tile: () => ({ imageId: '', leftPx: 0, topPx: 0, widthPx: tilePx, heightPx: tilePx }),
    readImages: (_indices, target) => target.set(pixels),
    readMasks: () => undefined,
    dispose: () => undefined,
  };
}
