import { createORPCClient, ORPCError } from '@orpc/client';
import { RPCLink as FetchLink } from '@orpc/client/fetch';
import { RPCLink as PortLink } from '@orpc/client/message-port';
import type { ContractRouterClient } from '@orpc/contract';
import type { contract } from '../../src-main/contract/contract.ts';
import { bridge, type Bridge } from './bridge.ts';

/** Calls to main: `client.images.list({...})`; the same in our window and in a browser. */
export type Client = ContractRouterClient<typeof contract>;

const link = bridge === undefined ? overHttp() : await overPort(bridge);

export const client: Client = createORPCClient(link);

/** The sentence to show for anything that a call threw. */
export function sentenceOf(error: unknown): string {
  if (error instanceof ORPCError) {
    if (error.code === 'APP_ERROR') return error.message;
    return 'Something went wrong inside DeCon Studio. Nothing you stored is lost; the log has the details.';
  }
  if (error instanceof TypeError) {
    return 'DeCon Studio does not answer. If you closed "decon serve", start it again and reload this page.';
  }
  return error instanceof Error ? error.message : String(error);
}

/** The stable code of an expected failure, e.g. `images.unreadable`. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof ORPCError) || error.code !== 'APP_ERROR') return undefined;
  const data: unknown = error.data;
  return typeof data === 'object' &&
    data !== null &&
    'code' in data &&
    typeof data.code === 'string'
    ? data.code
    : undefined;
}

function overHttp(): FetchLink<Record<never, never>> {
  return new FetchLink({ url: `${location.origin}/rpc` });
}

/** Main answers `connect` with a port, sent to this window by the preload script. */
function overPort(host: Bridge): Promise<PortLink<Record<never, never>>> {
  return new Promise((resolve) => {
    window.addEventListener('message', function receive(event) {
      const [port] = event.ports;
      if (event.source !== window || event.data !== 'decon:port' || port === undefined) return;
      window.removeEventListener('message', receive);
      port.start();
      resolve(new PortLink({ port }));
    });
    host.connect();
  });
}
