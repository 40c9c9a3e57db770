import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { AppError, CancelledError } from '../lib/errors.ts';

/** What `decon device install` can fetch. */
export const INSTALLABLE = ['tensorflow', 'cuda'] as const;

export type Installable = (typeof INSTALLABLE)[number];

export interface InstallOptions {
  readonly signal?: AbortSignal;
  /** Called with each line that the installer prints. */
  readonly onLine?: (line: string) => void;
}

/** A package that can fetch native files by a script of its own. */
export interface Installer {
  readonly title: string;
  readonly packageName: string;
  /** Inside the package. */
  readonly script: string;
  readonly scriptArguments: readonly string[];
  /** The file inside the package that shows that everything arrived. */
  readonly proof: string;
  /** `platform-arch` pairs for which files exist. */
  readonly systems: readonly string[];
  readonly source: string;
}

/**
 * Fetches the native files of an optional device by running its package's own install script, which
 * downloads from outside the npm registry. Called only when the user asks for it.
 * @throws AppError `device.install-failed`, CancelledError
 */
export async function installDevice(
  name: Installable,
  options: InstallOptions = {},
): Promise<void> {
  await runInstaller(INSTALLERS[name], options);
}

/** Runs one installer; `locate` finds the folder of its package. */
export async function runInstaller(
  installer: Installer,
  options: InstallOptions,
  locate: (packageName: string) => string = packageFolder,
): Promise<void> {
  const { title, systems, packageName, script, scriptArguments, proof } = installer;
  const system = `${process.platform}-${process.arch}`;
  if (!systems.includes(system)) {
    throw failure(`${title} has no files for this computer (${system}). WebGPU needs none.`);
  }
  const folder = locate(packageName);
  const outcome = await runScript(folder, [join(folder, script), ...scriptArguments], options);
  if (options.signal?.aborted === true) throw new CancelledError();
  if (outcome.code === 0 && existsSync(join(folder, proof))) return;
  throw failure(`${title} was not installed. ${causeOf(installer, folder, outcome.lastLines)}`);
}

interface ScriptOutcome {
  readonly code: number | null;
  readonly lastLines: readonly string[];
}

function runScript(
  folder: string,
  command: readonly string[],
  { signal, onLine }: InstallOptions,
): Promise<ScriptOutcome> {
  return new Promise((resolve) => {
    const lastLines: string[] = [];
    const child = spawn(process.execPath, command, {
      cwd: folder,
      env: {
        ...process.env,
        PATH: [...commandFolders(folder), process.env['PATH']].join(delimiter),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const stop = () => child.kill();
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        lastLines.push(line);
        if (lastLines.length > keptLines) lastLines.shift();
        onLine?.(line);
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
  const last = lines.findLast((line) => line.trim() !== '');
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

const INSTALLERS: Readonly<Record<Installable, Installer>> = {
  // Sources: scripts/install.js and scripts/deps-constants.js of the package.
  tensorflow: {
    title: 'TensorFlow',
    packageName: '@tensorflow/tfjs-node-gpu',
    script: 'scripts/install.js',
    scriptArguments: ['gpu', 'download'],
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
    scriptArguments: ['--onnxruntime-node-install=cuda12'],
    proof: 'bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so',
    systems: ['linux-x64'],
    source: 'api.nuget.org',
  },
};
