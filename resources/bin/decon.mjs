#!/usr/bin/env node
// Starts `decon` with Node 24: this one, or the one that was installed beside the program.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const neededMajor = 24;
const root = new URL('../../', import.meta.url);
const main = fileURLToPath(new URL('src-main/cli/main.ts', root));
const name = process.platform === 'win32' ? 'node.exe' : 'node';
const bundled = fileURLToPath(new URL(`node_modules/node/bin/${name}`, root));

if (Number.parseInt(process.versions.node, 10) >= neededMajor) {
  process.argv[1] = main;
  await import(new URL('src-main/cli/main.ts', root).href);
} else if (existsSync(bundled)) {
  const child = spawn(bundled, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; the child decides what it means.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  });
} else {
  console.error(
    `decon needs Node ${neededMajor} or newer; this is Node ${process.versions.node}. ` +
      'Run "npm ci" in the folder of DeCon Studio, or install a newer Node.',
  );
  process.exitCode = 2;
}
