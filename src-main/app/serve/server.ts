import { randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { RPCHandler } from '@orpc/server/node';
import { detach } from '../../lib/detach.ts';
import { createRouter } from '../router.ts';
import type { Workspace } from '../workspace.ts';
import { readAsset } from '../assets.ts';
import { securityHeaders } from '../security.ts';

/** The app in a browser of this machine. */
export interface AppServer {
  readonly port: number;
  /** A new address that opens the app once; afterwards the browser is known by a cookie. */
  link(): string;
  close(): Promise<void>;
}

/** Serves the window's files, the contract and pictures on 127.0.0.1. */
export async function startAppServer(
  workspace: Workspace,
  options: { readonly port: number; readonly assets: string },
): Promise<AppServer> {
  const session = randomBytes(24).toString('base64url');
  const tokens = new Set<string>();
  const handler = new RPCHandler(createRouter(workspace));
  const server = createServer((request, response) => {
    detach(answer(request, response), 'serve');
  });
  const port = await listen(server, options.port);
  const origin = `http://127.0.0.1:${port}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    if (request.headers.host !== `127.0.0.1:${port}`) return refuse(response, 403, 'Wrong host.');
    const from = request.headers.origin;
    if (from !== undefined && from !== origin) return refuse(response, 403, 'Wrong origin.');
    const url = new URL(request.url ?? '/', origin);
    const token = url.searchParams.get('token');
    if (token !== null && tokens.delete(token)) {
      response.setHeader('Set-Cookie', `decon=${session}; HttpOnly; SameSite=Strict; Path=/`);
      response.writeHead(303, { Location: '/' }).end();
      return;
    }
    if (!hasSession(request, session)) {
      return refuse(response, 401, 'This address was used already. Start "decon serve" again.');
    }
    if (url.pathname.startsWith('/rpc/')) {
      if (request.method !== 'POST') return refuse(response, 405, 'POST only.');
      const { matched } = await handler.handle(request, response, { prefix: '/rpc', context: {} });
      if (!matched) refuse(response, 404, 'There is nothing here.');
      return;
    }
    if (request.method !== 'GET') return refuse(response, 405, 'GET only.');
    const asset = await readAsset(options.assets, url.pathname);
    if (asset === undefined) return refuse(response, 404, 'There is nothing here.');
    response.writeHead(200, { 'Content-Type': asset.type, 'Cache-Control': asset.cacheControl });
    response.end(asset.body);
  }

  return {
    port,
    link: () => {
      const token = randomBytes(24).toString('base64url');
      tokens.add(token);
      return `${origin}/?token=${token}`;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(reason);
}

function hasSession(request: IncomingMessage, session: string): boolean {
  const cookies = (request.headers.cookie ?? '').split(';').map((part) => part.trim());
  const given = Buffer.from(cookies.find((part) => part.startsWith('decon='))?.slice(6) ?? '');
  const wanted = Buffer.from(session);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address !== null && typeof address === 'object') resolve(address.port);
    });
  });
}
