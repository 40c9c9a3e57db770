import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../lib/files.ts';
import { machineKey, userCacheFolder } from './device-cache.ts';
import { openSession, sessionSettings, type Session, type SessionOptions } from './session.ts';
import type { Device, Provider } from './types.ts';

export interface CachedSession {
  readonly session: Session;
  /** Whether the work of the optimizer was found in the cache. */
  readonly isFromCache: boolean;
}

/**
 * As `openSession`, but keeps the graph as onnxruntime optimized it, so that the next start of the same
 * graph on this machine skips the optimizer: a quarter of the time, the same bits. Graphs too small to
 * gain and providers where it was not measured are opened without the cache.
 * @throws AppError `device.unavailable`
 */
export async function openCachedSession(
  model: Uint8Array,
  device: Device,
  asked: SessionOptions = {},
  folder = sessionFolder(),
): Promise<CachedSession> {
  const options = { ...asked, isUnpacked: true };
  const isKept =
    cachedProviders.includes(device.provider) &&
    model.byteLength >= minModelBytes &&
    options.profilePrefix === undefined; // each session writes a profile, and one is asked for
  if (!isKept) return { session: await openSession(model, device, options), isFromCache: false };
  const key = keyOf(model, device, options);
  const path = join(folder, `${key.toString('hex')}${ending}`);
  const known = await reopened(path, key, device, options);
  if (known !== undefined) return { session: known, isFromCache: true };
  return {
    session: await openedAndKept(model, key, { path, folder, device, options }),
    isFromCache: false,
  };
}

/** Where the optimized graphs of this user lie. */
export function sessionFolder(): string {
  return join(userCacheFolder(), 'sessions');
}

/**
 * Deletes the graphs that were not used for longest, until the rest is within the limits, and what a
 * process left half written long before the newest file.
 */
export function pruneSessions(folder: string, limits = { files: maxFiles, bytes: maxBytes }): void {
  const files = readdirSync(folder).map((name) => {
    const path = join(folder, name);
    const { size, mtimeMs } = statSync(path);
    return { path, size, mtimeMs };
  });
  const kept = files
    .filter(({ path }) => path.endsWith(ending))
    .sort((a, b) => b.mtimeMs - a.mtimeMs);
  let bytes = 0;
  for (const [i, { path, size }] of kept.entries()) {
    bytes += size;
    if (i >= limits.files || bytes > limits.bytes) rmSync(path, { force: true });
  }
  const newest = Math.max(...files.map(({ mtimeMs }) => mtimeMs));
  for (const { path, mtimeMs } of files) {
    const isAbandoned = /\.(?:part|tmp)$/.test(path) && mtimeMs < newest - abandonedMs;
    if (isAbandoned) rmSync(path, { force: true });
  }
}

/** The session of a kept graph; undefined when there is none that is whole and still fits. */
async function reopened(path: string, key: Buffer, device: Device, options: SessionOptions) {
  const model = readKept(path, key);
  if (model === undefined) return undefined;
  try {
    const session = await openSession(model, device, { ...options, isOptimized: true });
    attempt(() => utimesSync(path, new Date(), new Date()));
    return session;
  } catch {
    return undefined;
  }
}

interface Place {
  readonly path: string;
  readonly folder: string;
  readonly device: Device;
  readonly options: SessionOptions;
}

/**
 * Opens a graph and keeps it as onnxruntime optimized it. A session that saves its graph leaves its
 * constants unpacked, which can change a last bit; so do all sessions here, and the first start computes
 * the bits of the later ones. A cache that cannot be written costs the next start only.
 */
async function openedAndKept(
  model: Uint8Array,
  key: Buffer,
  { path, folder, device, options }: Place,
): Promise<Session> {
  const part = `${path}.${randomUUID()}.part`;
  try {
    const session = await openedAndSaved(model, part, { folder, device, options });
    attempt(() => {
      const optimized = readFileSync(part);
      writeFileAtomic(path, [optimized, key, digestOf(optimized)]);
      pruneSessions(folder);
    });
    return session;
  } finally {
    attempt(() => rmSync(part, { force: true }));
  }
}

async function openedAndSaved(
  model: Uint8Array,
  part: string,
  { folder, device, options }: Omit<Place, 'path'>,
): Promise<Session> {
  try {
    mkdirSync(folder, { recursive: true });
    return await openSession(model, device, { ...options, saveTo: part });
  } catch {
    // The disk may be full, or the device may refuse the graph: without the cache it says so itself.
    return await openSession(model, device, options);
  }
}

/** The graph in a file, unless the file is absent, damaged or of another graph. */
function readKept(path: string, key: Buffer): Uint8Array | undefined {
  const file = attempt(() => readFileSync(path));
  if (file === undefined || file.byteLength <= trailerBytes) return undefined;
  const model = file.subarray(0, -trailerBytes);
  const isOwn = file.subarray(-trailerBytes).equals(Buffer.concat([key, digestOf(model)]));
  return isOwn ? model : undefined;
}

/** Changes with the graph, the settings of the session and everything that `machineKey` covers. */
function keyOf(model: Uint8Array, device: Device, options: SessionOptions): Buffer {
  const settings = JSON.stringify(sessionSettings(device, options));
  return createHash('sha256')
    .update(`${cacheVersion}\n${machineKey()}\n${settings}\n`)
    .update(model)
    .digest();
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** Raised when the layout of the files changes. */
const cacheVersion = 2;
const ending = '.session';
/** Key and digest, behind the graph. */
const trailerBytes = 64;
/** Below, a session opens in less time than a file takes to be written. */
const minModelBytes = 64e3;
const maxFiles = 20;
const maxBytes = 1e9;
const abandonedMs = 3_600_000;

/** CoreML compiles its nodes, which onnxruntime cannot write to a file; the others are untried. */
const cachedProviders: readonly Provider[] = ['cpu', 'webgpu'];
