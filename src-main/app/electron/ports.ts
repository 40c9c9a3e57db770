import { RPCHandler } from '@orpc/server/message-port';
import * as v from 'valibot';
import type { Place } from '../../contract/values.ts';
import { log } from '../../lib/log.ts';
import type { createRouter } from '../router.ts';
import type { Places } from '../places.ts';
import { channels } from './channels.ts';
import { isOwnPage } from './policy.ts';

/** What is looked at of a message before it is believed; as Electron's events are. */
export interface Sender<TPort = never> {
  readonly sender: { readonly id: number; readonly mainFrame: unknown };
  readonly senderFrame: {
    readonly url: string;
    postMessage(channel: string, message: unknown, transfer: TPort[]): void;
  } | null;
}

type ServerPort = Parameters<RPCHandler<Record<never, never>>['upgrade']>[0];

/** Whether a message comes from the page of our own window, and from its main frame. */
export function isOwnSender(
  event: Sender,
  windowContentsId: number | undefined,
  devServer?: string,
): boolean {
  const { sender, senderFrame } = event;
  return (
    sender.id === windowContentsId &&
    senderFrame !== null &&
    senderFrame === sender.mainFrame &&
    isOwnPage(senderFrame.url, devServer)
  );
}

/** Gives our page a port that the contract is served on. A message of anyone else is dropped. */
export function handPort<TPort>(
  event: Sender<TPort>,
  context: {
    readonly router: ReturnType<typeof createRouter>;
    readonly windowContentsId: number | undefined;
    readonly createChannel: () => {
      readonly port1: ServerPort & { start(): void };
      readonly port2: TPort;
    };
    readonly devServer?: string | undefined;
  },
): void {
  const { senderFrame } = event;
  if (senderFrame === null || !isOwnSender(event, context.windowContentsId, context.devServer)) {
    log('warn', 'window', 'A port was asked for by a page that is not ours.');
    return;
  }
  const { port1, port2 } = context.createChannel();
  new RPCHandler(context.router).upgrade(port1);
  port1.start();
  senderFrame.postMessage(channels.port, null, [port2]);
}

const droppedSchema = v.pipe(v.array(v.pipe(v.string(), v.maxLength(4096))), v.maxLength(10_000));

/** Turns the paths of dropped files, which only preload learns, into places. */
export function placesOfDrop(
  event: Sender,
  paths: unknown,
  context: {
    readonly places: Places;
    readonly windowContentsId: number | undefined;
    readonly devServer?: string | undefined;
  },
): readonly Place[] {
  if (!isOwnSender(event, context.windowContentsId, context.devServer)) return [];
  return v
    .parse(droppedSchema, paths)
    .filter((path) => path !== '') // a file that a page made up has none
    .map((path) => context.places.add(path));
}
