#!/usr/bin/env node
// Starts `decon` with Node 24: this one, or the one that was installed beside the program.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const neededMajor = 24;
const root = new URL('../../', import.meta.url);
const main = new URL('src-main/cli/main.ts', root);

if (Number.parseInt(process.versions.node, 10) >= neededMajor) {
  process.argv.splice(1, 1, fileURLToPath(main));
  await import(main.href);
} else {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const bundled = fileURLToPath(new URL(`node_modules/node/bin/${name}`, root));
  if (existsSync(bundled)) {
    const { status, signal } = spawnSync(bundled, [fileURLToPath(main), ...process.argv.slice(2)], {
      stdio: 'inherit',
    });
    process.exitCode = status ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 0);
  } else {
    console.error(
      `decon needs Node ${neededMajor} or newer; this is Node ${process.versions.node}. ` +
        'Run "npm ci" in the folder of DeCon Studio, or install a newer Node.',
    );
    process.exitCode = 2;
  }
}
