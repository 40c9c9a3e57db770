import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { AppError, CancelledError, defined } from '../lib/errors.ts';
import { readDeviceCache, writeDeviceCache } from './device-cache.ts';
import { runProbe } from './device-process.ts';
import type { DeviceReport } from './device-report.ts';
import { listDevices, type DeviceListOptions } from './devices.ts';

/** What `decon device install` can fetch. */
export const INSTALLABLE = ['tensorflow', 'cuda'] as const;

export type Installable = (typeof INSTALLABLE)[number];

export interface InstallOptions extends DeviceListOptions {
  /** Called with each line that the installer prints, and with how much was fetched so far. */
  readonly onLine?: (line: string) => void;
}

/** A package that can fetch native files by a script of its own. */
export interface Installer {
  readonly title: string;
  readonly packageName: string;
  /** Inside the package. */
  readonly script: string;
  readonly scriptArguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** The file inside the package that shows that everything arrived. */
  readonly proof: string;
  /** `platform-arch` pairs for which files exist. */
  readonly systems: readonly string[];
  readonly source: string;
}

/**
 * Fetches the native files of an optional device by running its package's own install script, which
 * downloads from outside the npm registry, then tries the device and keeps the result. Called only
 * when the user asks for it.
 * @returns whether the device works with its files, or why not yet
 * @throws AppError `device.install-failed`, CancelledError
 */
export async function installDevice(
  name: Installable,
  options: InstallOptions = {},
  { installer = INSTALLERS[name], locate }: InstallParts = {},
): Promise<DeviceReport> {
  // The files that arrive make the kept reports those of another machine.
  const known = readDeviceCache(options.cacheFolder);
  await runInstaller(installer, options, locate);
  if (known === undefined) {
    const reports = await listDevices(options);
    return defined(
      reports.find((report) => report.name === name),
      name,
    );
  }
  options.onTry?.(name);
  const report = await runProbe(name, options.signal);
  const others = known.filter((other) => other.name !== name);
  writeDeviceCache([...others, report], options.cacheFolder);
  return report;
}

/** What a test replaces. */
interface InstallParts {
  readonly installer?: Installer;
  readonly locate?: (packageName: string) => string;
}

/** Runs one installer; `locate` finds the folder of its package. */
export async function runInstaller(
  installer: Installer,
  options: InstallOptions,
  locate: (packageName: string) => string = packageFolder,
): Promise<void> {
  const { title, systems, packageName, proof } = installer;
  const system = `${process.platform}-${process.arch}`;
  if (!systems.includes(system)) {
    throw failure(`${title} has no files for this computer (${system}). WebGPU needs none.`);
  }
  const folder = locate(packageName);
  const outcome = await runScript(folder, installer, options);
  if (options.signal?.aborted === true) throw new CancelledError();
  if (outcome.code === 0 && existsSync(join(folder, proof))) return;
  throw failure(`${title} was not installed. ${causeOf(installer, folder, outcome.lastLines)}`);
}

interface ScriptOutcome {
  readonly code: number | null;
  readonly lastLines: readonly string[];
}

async function runScript(
  folder: string,
  { script, scriptArguments, environment }: Installer,
  { signal, onLine }: InstallOptions,
): Promise<ScriptOutcome> {
  // What a script that is stopped half way leaves there is swept up.
  const temporary = mkdtempSync(join(tmpdir(), 'decon-fetch-'));
  const stopWatching = watchSize(temporary, (text) => onLine?.(text));
  try {
    return await new Promise((resolve) => {
      const lastLines: string[] = [];
      const child = spawn(process.execPath, [join(folder, script), ...scriptArguments], {
        cwd: folder,
        env: {
          ...process.env,
          ...proxySettings(),
          PATH: [...commandFolders(folder), process.env['PATH']].join(delimiter),
          ...{ TMPDIR: temporary, TMP: temporary, TEMP: temporary },
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const stop = () => child.kill();
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          lastLines.push(line);
          if (lastLines.length > keptLines) lastLines.shift();
          // A crash of the script is told as a sentence instead.
          if (stream === child.stdout) onLine?.(line);
        });
      }
      child.once('error', (error) => lastLines.push(error.message));
      child.once('close', (code) => {
        signal?.removeEventListener('abort', stop);
        resolve({ code, lastLines });
      });
      signal?.addEventListener('abort', stop);
      if (signal?.aborted === true) stop();
    });
  } finally {
    stopWatching();
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Tells every few seconds how much has arrived in a folder, because the scripts are silent then. */
function watchSize(folder: string, onText: (text: string) => void): () => void {
  let known = 0;
  const timer = setInterval(() => {
    const bytes = sizeOf(folder);
    if (bytes > known) onText(`${Math.ceil(bytes / 1e6)} MB fetched so far`);
    known = Math.max(known, bytes);
  }, tellEveryMs);
  return () => clearInterval(timer);
}

/** Bytes in a folder that others write to meanwhile; 0 when it changes while it is read. */
function sizeOf(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
  } catch {
    return 0;
  }
}

/** onnxruntime's script looks for the usual settings of a proxy under other names. */
function proxySettings(): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY']) {
    const value = process.env[name] ?? process.env[name.toLowerCase()];
    const own = `GLOBAL_AGENT_${name}`;
    if (value !== undefined && process.env[own] === undefined) settings[own] = value;
  }
  return settings;
}

/** Folders of the commands that a package's script may call, nearest first, as npm adds them. */
function commandFolders(folder: string): string[] {
  const parent = dirname(folder);
  const own = join(folder, 'node_modules', '.bin');
  return parent === folder ? [own] : [own, ...commandFolders(parent)];
}

function causeOf({ source }: Installer, folder: string, lines: readonly string[]): string {
  const text = lines.join('\n');
  if (/ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH/.test(text)) {
    return `${source} could not be reached; check the internet connection or proxy and try again.`;
  }
  if (/EACCES|EPERM|EROFS/.test(text)) {
    return `The folder ${folder} may not be written to; run the command as the user who installed the program.`;
  }
  if (text.includes('ENOSPC')) return 'The disk is full; free about 2 GB and try again.';
  const status = /HTTP status code = (\d+)/.exec(text)?.[1];
  if (status !== undefined) {
    return `${source} did not send the files (HTTP status ${status}); try again later.`;
  }
  if (/certificate|CERT_|SELF_SIGNED/i.test(text)) {
    return `The connection to ${source} is not trusted. Behind a company's proxy, name its certificate in NODE_EXTRA_CA_CERTS.`;
  }
  const error = lines.findLast((line) => /^\w*Error: /.test(line));
  const last = error ?? lines.findLast((line) => !/^(?:Node\.js v.*|\s*)$/.test(line));
  return `Its installer ended with: ${last ?? 'no message'}`;
}

function packageFolder(packageName: string): string {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${packageName}/package.json`));
  } catch (cause) {
    throw failure(
      `The package ${packageName} is missing. Run "npm install --include=optional" in the program's folder first.`,
      cause,
    );
  }
}

function failure(message: string, cause?: unknown): AppError {
  return new AppError('device.install-failed', message, { cause });
}

const keptLines = 30;
const tellEveryMs = 5000;

export const INSTALLERS: Readonly<Record<Installable, Installer>> = {
  // Sources: scripts/install.js and scripts/deps-constants.js of the package.
  tensorflow: {
    title: 'TensorFlow',
    packageName: '@tensorflow/tfjs-node-gpu',
    script: 'scripts/install.js',
    scriptArguments: ['gpu', 'download'],
    environment: {},
    // 8 is the newest Node-API that the package has a binary for.
    proof: 'lib/napi-v8/tfjs_binding.node',
    // On Windows the script puts tensorflow.dll beside the running Node's API number, not beside 8.
    systems: ['linux-x64'],
    source: 'storage.googleapis.com',
  },
  // Sources: script/install.js and script/install-metadata.js of the package.
  cuda: {
    title: 'CUDA for onnxruntime',
    packageName: 'onnxruntime-node',
    script: 'script/install.js',
    scriptArguments: [],
    // Asks for all files of this system, which are those of CUDA 12. The name "cuda12" is documented
    // but not understood by the script of 1.30: it then does nothing under "npm run", without a word.
    environment: { ONNXRUNTIME_NODE_INSTALL: 'true' },
    proof: 'bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so',
    systems: ['linux-x64'],
    source: 'api.nuget.org',
  },
};
