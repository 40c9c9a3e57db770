import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AppServer } from '../../app/serve/server.ts';
import type { Host } from '../../app/workspace.ts';
import { detach } from '../../lib/detach.ts';
import { AppError } from '../../lib/errors.ts';
import { windowFolder } from '../../lib/program-entries.ts';
import { defineCommand } from '../command.ts';
import { openInBrowser } from '../open-browser.ts';
import { flag, integer, text } from '../options.ts';
import { exitCodes, type Output } from '../output.ts';
import { nextStop, watchingSignals } from '../signals.ts';

export const serve = defineCommand({
  name: 'serve',
  summary: 'Open the app in a browser of this machine',
  details:
    'Serves the app on 127.0.0.1 only and prints an address that works once; Enter prints another. ' +
    'Ctrl-C asks running jobs to pause and ends.',
  arguments: [
    {
      name: 'PROJECT',
      help: 'the project folder to open; without it the start page',
      isOptional: true,
    },
  ],
  options: {
    port: integer('the port; a free one when absent'),
    open: flag('open the address in the default browser'),
    assets: text('DIR', 'the built window to serve; for development'),
  },
  examples: ['decon serve', 'decon serve cells.decon --port 8080 --open'],
  run: async ({ options, words, output }) => {
    const assets = options.assets ?? windowFolder;
    requireWindow(assets);
    // Loaded here: the other commands need nothing of the app.
    const { startAppServer } = await import('../../app/serve/server.ts');
    const { Workspace } = await import('../../app/workspace.ts');
    const workspace = new Workspace(browserHost);
    const project = words[0] || options.project;
    if (project !== undefined) await workspace.open(project);
    const server = await startAppServer(workspace, { port: options.port ?? 0, assets });
    await tellLink(server, output, options.open);
    await untilStopped(server, output);
    const isWorking = workspace.opened?.queue.isWorking ?? false;
    if (isWorking) output.notice('Pausing the running jobs. Ctrl-C again ends at once.');
    // Whoever presses Ctrl-C again does not want to wait; jobs pause when this process is gone.
    await watchingSignals(
      () => process.exit(exitCodes.cancelled),
      async () => {
        await server.close();
        await workspace.close();
      },
    );
  },
});

/** A browser has no dialogs of ours and no file manager. */
const browserHost: Host = {
  kind: 'browser',
  pick: () => Promise.resolve(null),
  reveal: () => false,
  setTheme: () => undefined,
};

async function tellLink(server: AppServer, output: Output, opens: boolean): Promise<void> {
  const url = server.link();
  output.record('serving', { url });
  output.text(`DeCon Studio is at ${url}\nEnter prints another address, Ctrl-C ends.`);
  if (opens && !(await openInBrowser(url))) {
    output.notice('No browser could be started from here. Open the address yourself.');
  }
}

/** Prints an address for every Enter, until Ctrl-C. */
async function untilStopped(server: AppServer, output: Output): Promise<void> {
  // Without a terminal of its own, readline leaves Ctrl-C to us.
  const lines = createInterface({ input: process.stdin, terminal: false });
  lines.on('line', () => detach(tellLink(server, output, false), 'serve'));
  await nextStop();
  lines.close();
}

/** @throws AppError `serve.not-built` */
function requireWindow(assets: string): void {
  if (existsSync(join(assets, 'index.html'))) return;
  throw new AppError(
    'serve.not-built',
    'The window of DeCon Studio is not built yet. Run "npm run build" in its folder, then try again.',
  );
}
