import { consumeEventIterator } from '@orpc/client';
import { bridge } from '../client/bridge.ts';
import { client } from '../client/client.ts';
import { commands } from './commands.svelte.ts';

/** Runs what is chosen in the menu bar of our own window; a page has none. */
export function runHostCommands(): void {
  if (bridge === undefined) return;
  consumeEventIterator(client.host.commands(), { onEvent: (id) => commands.run(id) });
}
