import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { rootFolder } from '../lib/program-entries.ts';

/** Electron's program, or why no window of our own can be opened here. */
export type ElectronProgram =
  | { readonly type: 'found'; readonly path: string }
  | { readonly type: 'missing'; readonly reason: string };

/**
 * Looks for Electron without importing it: the import of a package without its program begins a
 * download, and DeCon Studio loads nothing unasked.
 */
export function findElectron(
  env: NodeJS.ProcessEnv = process.env,
  root: URL = rootFolder,
): ElectronProgram {
  const folder = new URL('node_modules/electron/', root);
  const pathFile = new URL('path.txt', folder);
  if (!existsSync(pathFile)) {
    return {
      type: 'missing',
      reason:
        "Electron's program is not installed (npm brings the package without it), so DeCon Studio " +
        'opens in your browser. To have a window of its own, run "npx install-electron --no" in ' +
        'this folder; it downloads about 120 MB from github.com.',
    };
  }
  const hasScreen = env['DISPLAY'] !== undefined || env['WAYLAND_DISPLAY'] !== undefined;
  if (process.platform === 'linux' && !hasScreen) {
    return {
      type: 'missing',
      reason:
        'This session has no screen (DISPLAY is not set), so DeCon Studio is served to a browser. ' +
        'On another machine, reach it through "ssh -L PORT:127.0.0.1:PORT".',
    };
  }
  const program = readFileSync(pathFile, 'utf8').trim();
  return { type: 'found', path: fileURLToPath(new URL(`dist/${program}`, folder)) };
}
