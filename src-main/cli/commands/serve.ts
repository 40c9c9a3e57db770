import { fileURLToPath } from 'node:url';
import { startAppServer } from '../../app/serve/server.ts';
import { Workspace } from '../../app/workspace.ts';
import { defineCommand } from '../command.ts';
import { integer, text } from '../options.ts';

const builtAssets = fileURLToPath(new URL('../../../out/renderer/', import.meta.url));

export const serve = defineCommand({
  name: 'serve',
  summary: 'Open the app in a browser of this machine',
  details:
    'Serves the app on 127.0.0.1 only and prints an address that works once. Ctrl-C ends it.',
  options: {
    project: text('DIR', 'the project folder to open'),
    port: integer('the port; a free one when absent'),
    assets: text('DIR', 'the built window to serve; for development'),
  },
  examples: ['decon serve', 'decon serve --project cells.decon --port 8080'],
  run: async ({ options, output }) => {
    const workspace = new Workspace({
      kind: 'browser',
      pick: () => Promise.resolve(null),
      reveal: () => false,
      setTheme: () => undefined,
    });
    if (options.project !== undefined) await workspace.open(options.project);
    const server = await startAppServer(workspace, {
      port: options.port ?? 0,
      assets: options.assets ?? builtAssets,
    });
    output.record('serving', { url: server.link() });
    output.text(`DeCon Studio is at ${server.link()}`);
    await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()));
    await server.close();
    await workspace.close();
  },
});
