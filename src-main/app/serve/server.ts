import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { RPCHandler } from '@orpc/server/node';
import { AppError } from '../../lib/errors.ts';
import { log, stackOf } from '../../lib/log.ts';
import { createRouter } from '../router.ts';
import { pictureReply } from '../pictures/route.ts';
import type { Workspace } from '../workspace.ts';
import { readAsset } from '../assets.ts';
import { securityHeaders } from '../security.ts';
import { checkSource, isFromOtherSite, Sessions } from './access.ts';
import { receiveDrop } from './drop.ts';
import { enter, refuse } from './pages.ts';

/** The app in a browser of this machine. */
export interface AppServer {
  readonly port: number;
  /** A new address that opens the app once; afterwards the browser is known by a cookie. */
  link(): string;
  close(): Promise<void>;
}

/** One call of the window; strokes of a large label are the largest. */
const maxCallBytes = 16_000_000;

/** Serves the window's files, the contract and pictures on 127.0.0.1. */
export async function startAppServer(
  workspace: Workspace,
  options: { readonly port: number; readonly assets: string },
): Promise<AppServer> {
  const server = createServer();
  const port = await listen(server, options.port);
  const origin = `http://127.0.0.1:${port}`;
  const sessions = new Sessions(port);
  const calls = new RPCHandler(createRouter(workspace));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    const refusal = checkSource(request, port);
    if (refusal !== undefined) return refuse(response, refusal);
    const url = new URL(request.url ?? '/', origin);
    const cookie = sessions.redeem(url.searchParams.get('token') ?? '');
    if (cookie !== undefined) return enter(response, cookie);
    if (!sessions.isKnown(request.headers)) return refuse(response, unknownBrowser);
    if (url.pathname !== '/' && isFromOtherSite(request.headers)) return refuse(response, foreign);
    await (request.method === 'POST' ? post(request, response, url) : get(request, response, url));
  }

  async function post(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (url.pathname === '/drop') {
      return receiveDrop(workspace, request, response, url.searchParams);
    }
    // Node ends a body at its announced length; one without a length is refused.
    const bytes = Number(request.headers['content-length'] ?? NaN);
    if (!(bytes <= maxCallBytes)) return refuse(response, tooLarge);
    response.setHeader('Cache-Control', 'no-store');
    const { matched } = await calls.handle(request, response, { prefix: '/rpc', context: {} });
    if (!matched) refuse(response, nothingHere);
  }

  async function get(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (url.pathname.startsWith('/image/')) return picture(request, response, url);
    const asset = await readAsset(options.assets, url.pathname);
    if (asset === undefined) return refuse(response, nothingHere);
    response.writeHead(200, { 'Content-Type': asset.type, 'Cache-Control': asset.cacheControl });
    response.end(asset.body);
  }

  async function picture(
    request: IncomingMessage,
    response: ServerResponse,
    url: URL,
  ): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const { status, type, body, cacheControl, etag } = await pictureReply(
      workspace,
      url,
      gone.signal,
    );
    if (response.destroyed) return;
    response.setHeader('Cache-Control', cacheControl);
    if (etag !== undefined) response.setHeader('ETag', etag);
    if (etag !== undefined && request.headers['if-none-match'] === etag) {
      response.writeHead(304).end();
      return;
    }
    response.writeHead(status, { 'Content-Type': type, 'Content-Length': body.length });
    response.end(body);
  }

  server.on('request', (request, response) => {
    answer(request, response).catch((error: unknown) => {
      log('error', 'serve', stackOf(error));
      if (response.headersSent) response.destroy();
      else refuse(response, broken);
    });
  });

  return {
    port,
    link: () => `${origin}/?token=${sessions.newToken()}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const unknownBrowser = {
  status: 401,
  reason:
    'This address was used already, or the program was started again since. Press Enter in the ' +
    'terminal where "decon serve" runs: it prints a new address.',
};
const foreign = { status: 403, reason: 'Only DeCon Studio itself may ask for this.' };
const nothingHere = { status: 404, reason: 'There is nothing at this address.' };
const tooLarge = { status: 413, reason: 'This is too much for one request.' };
const broken = {
  status: 500,
  reason: 'Something went wrong inside DeCon Studio. The log has the details.',
};

/** @throws AppError `serve.port-taken` */
function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new AppError(
          'serve.port-taken',
          `The port ${port} cannot be used. Choose another with --port, or leave it out.`,
          { cause },
        ),
      );
    });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address !== null && typeof address === 'object') resolve(address.port);
    });
  });
}
