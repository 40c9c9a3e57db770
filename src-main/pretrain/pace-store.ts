import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { machineKey, userCacheFolder } from '../graph/device-cache.ts';
import { writeFileAtomic } from '../lib/files.ts';
import { appVersion } from '../lib/version.ts';
import type { PretrainConfig } from './config.ts';

const fileName = 'pretrain-pace.json';
const keptEntries = 200;

const paceSchema = v.object({
  secondsPerStep: v.number(),
  /** The most memory that the process held. */
  peakBytes: v.number(),
  compileSeconds: v.number(),
  /** 10^9 multiplications and additions a second that the steps came to. */
  gigaflops: v.number(),
});

/** How a training with certain settings runs on this machine. */
export type Pace = Readonly<v.InferOutput<typeof paceSchema>>;

const storeSchema = v.array(
  v.object({ key: v.string(), device: v.string(), machine: v.string(), ...paceSchema.entries }),
);

/** Paces that were measured on this machine, in the user's cache folder. */
export class PaceStore {
  readonly #folder: string;
  readonly #machine: string;

  constructor(folder = userCacheFolder()) {
    this.#folder = folder;
    this.#machine = createHash('sha256').update(`${machineKey()} ${appVersion()}`).digest('hex');
  }

  get(config: PretrainConfig, device: string): Pace | undefined {
    const key = shapeKey(config);
    return this.#read().findLast((entry) => entry.key === key && entry.device === device);
  }

  /** The usual speed of everything measured on a device; undefined before anything was. */
  gigaflops(device: string): number | undefined {
    const speeds = this.#read()
      .filter((entry) => entry.device === device)
      .map(({ gigaflops }) => gigaflops)
      .sort((a, b) => a - b);
    return speeds[Math.floor(speeds.length / 2)];
  }

  add(config: PretrainConfig, device: string, pace: Pace): void {
    const key = shapeKey(config);
    const others = this.#read().filter((entry) => entry.key !== key || entry.device !== device);
    const entries = [...others, { key, device, machine: this.#machine, ...pace }];
    mkdirSync(this.#folder, { recursive: true });
    const text = JSON.stringify(entries.slice(-keptEntries), null, 2);
    writeFileAtomic(join(this.#folder, fileName), [new TextEncoder().encode(text)]);
  }

  /** Entries of this machine as it is now; a damaged file is forgotten. */
  #read(): v.InferOutput<typeof storeSchema> {
    try {
      const text = readFileSync(join(this.#folder, fileName), 'utf8');
      const entries = v.parse(storeSchema, JSON.parse(text));
      return entries.filter(({ machine }) => machine === this.#machine);
    } catch {
      return [];
    }
  }
}

/** Everything that decides what a step computes; its length, rates and random numbers do not. */
function shapeKey(config: PretrainConfig): string {
  const { encoder, decoder, decoderChannels, fcnForm, levels, dim, hidden, prototypes } = config;
  const { decoderHidden, decoderPrototypes, dropoutSite, optimizer } = config;
  const { batchSize, cropPx, tilePx } = config;
  return JSON.stringify([
    [encoder, decoder, decoderChannels, fcnForm, levels, dim, hidden, prototypes],
    [decoderHidden, decoderPrototypes, dropoutSite, optimizer],
    [batchSize, cropPx, tilePx, config.alpha === 0, config.dropout === 0],
    ...(config.precision === 'half' ? ['half'] : []),
  ]);
}
