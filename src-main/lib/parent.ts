import { isRelayed, relayStarter } from './process-relay.ts';
import { setProcessStarter } from './programs.ts';

/** The one who started this process, as far as messages go. */
export interface Parent {
  onMessage(listener: (message: unknown) => void): void;
  /** Resolves when the message left; a parent that is gone is no reason to fail. */
  send(message: object): Promise<void>;
}

/** The end of a utility process's channel, as Electron gives it. */
export interface ParentPort {
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown;
  postMessage(message: unknown): void;
}

/** How long a message to Electron's main process may take; it tells no end. */
const portFlushMs = 100;

/** Connects this process with its parent: Node's `fork`, or a utility process of Electron. */
export function connectParent(port: ParentPort | undefined = electronPort()): Parent {
  return port === undefined ? overNode() : overPort(port);
}

function overNode(): Parent {
  // Ctrl-C reaches every process of a terminal; whoever started this one decides what it means.
  process.on('SIGINT', () => undefined);
  return {
    onMessage: (listener) => void process.on('message', listener),
    send: (message) =>
      new Promise((resolve) => {
        if (process.send === undefined || !process.connected) return resolve();
        process.send(message, undefined, undefined, () => resolve());
      }),
  };
}

function overPort(port: ParentPort): Parent {
  // Only Electron's main process can start utility processes, so this one asks it to.
  const relay = relayStarter((message) => port.postMessage(message));
  setProcessStarter(relay.start);
  return {
    onMessage: (listener) =>
      void port.on('message', ({ data }) => {
        if (isRelayed(data)) relay.receive(data);
        else listener(data);
      }),
    send: (message) => {
      port.postMessage(message);
      return new Promise((resolve) => setTimeout(resolve, portFlushMs));
    },
  };
}

function electronPort(): ParentPort | undefined {
  return 'parentPort' in process ? process.parentPort : undefined;
}
