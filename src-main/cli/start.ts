/**
 * `npm start`: opens DeCon Studio in its own window; where there is no Electron, says why and opens
 * it in the browser. Builds what is missing or older than its sources.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rootFolder } from '../lib/program-entries.ts';
import { isStale } from './builds.ts';
import { findElectron } from './electron-program.ts';

const root = fileURLToPath(rootFolder);
const inRoot = (...names: readonly string[]): string => join(root, ...names);
const shared = ['package.json', 'package-lock.json', 'vite.config.ts', 'svelte.config.js'];
const windowSources = ['src-renderer', 'src-main/contract', ...shared].map((name) => inRoot(name));
const appSources = [...windowSources, inRoot('src-main'), inRoot('electron.vite.config.ts')];

const words = process.argv.slice(2);
const electron = findElectron();
process.exitCode = await (electron.type === 'found'
  ? startElectron(electron.path)
  : startInBrowser(electron.reason));

async function startElectron(program: string): Promise<number> {
  if (isStale(inRoot('out/main/index.js'), appSources)) {
    console.log('Building the app ...');
    const code = await run(process.execPath, [
      inRoot('node_modules/electron-vite/bin/electron-vite.js'),
      'build',
      '--logLevel',
      'error',
    ]);
    if (code !== 0) return code;
  }
  return run(program, [root, ...words]);
}

async function startInBrowser(reason: string): Promise<number> {
  console.log(reason);
  if (isStale(inRoot('out/renderer/index.html'), windowSources)) {
    console.log('Building the window ...');
    const vite = inRoot('node_modules/vite/bin/vite.js');
    const code = await run(process.execPath, [vite, 'build', '--logLevel', 'error']);
    if (code !== 0) return code;
  }
  return run(process.execPath, [inRoot('src-main/cli/main.ts'), 'serve', '--open', ...words]);
}

/** Runs a program in this terminal. @returns its exit code */
function run(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd: root, stdio: 'inherit' });
    // A terminal sends Ctrl-C to both; the child decides what it means.
    process.on('SIGINT', () => undefined);
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => child.kill(signal));
    }
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
