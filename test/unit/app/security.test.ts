/** The security settings of Electron, row by row; those of decon serve are in serve.test.ts. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/message-port';
import type { ContractRouterClient } from '@orpc/contract';
import type { Session, WebContents } from 'electron';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { hardenContents, hardenSession } from '../../../src-main/app/electron/harden.ts';
import {
  isOwnPage,
  links,
  mayNavigate,
  mayOpenOutside,
  mayRequest,
  processEnvironment,
  schemes,
  webPreferences,
} from '../../../src-main/app/electron/policy.ts';
import {
  handPort,
  isOwnSender,
  placesOfDrop,
  type Sender,
} from '../../../src-main/app/electron/ports.ts';
import { answerApp, answerImage } from '../../../src-main/app/electron/protocols.ts';
import { kinds } from '../../../src-main/app/pictures/kinds.ts';
import { Places } from '../../../src-main/app/places.ts';
import { createRouter } from '../../../src-main/app/router.ts';
import { contentSecurityPolicy } from '../../../src-main/app/security.ts';
import { UserStateFile } from '../../../src-main/app/user-state.ts';
import { Workspace } from '../../../src-main/app/workspace.ts';
import type { contract } from '../../../src-main/contract/contract.ts';

const electron = new URL('../../../src-main/app/electron/', import.meta.url);
const mainSource = readFileSync(new URL('main.ts', electron), 'utf8');

describe('before ready', () => {
  test('every page is sandboxed, and schemes are registered once, with these rights only', () => {
    const beforeReady = mainSource.slice(0, mainSource.indexOf('async function ready'));
    expect(beforeReady).toContain('app.enableSandbox();');
    expect(mainSource.match(/registerSchemesAsPrivileged/g)).toHaveLength(1);
    expect(beforeReady).toContain('protocol.registerSchemesAsPrivileged([...schemes]);');
    expect(beforeReady).toContain('app.requestSingleInstanceLock()');
    expect(schemes).toEqual([
      {
        scheme: 'app',
        privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
      },
      {
        scheme: 'image',
        privileges: { standard: true, secure: true, supportFetchAPI: true, corsEnabled: true },
      },
    ]);
  });
});

test('the window has no Node, no web view, no experiments; tools only unpackaged', () => {
  const packaged = webPreferences('/preload.cjs', true);
  expect(packaged).toMatchObject({
    sandbox: true,
    contextIsolation: true,
    webSecurity: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webviewTag: false,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    devTools: false,
  });
  expect(packaged).not.toHaveProperty('enableBlinkFeatures');
  expect(webPreferences('/preload.cjs', false).devTools).toBe(true);
});

test('the policy is the one that was decided', () => {
  expect(contentSecurityPolicy).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' image: blob: data:; " +
      "font-src 'self'; connect-src 'self' image:; worker-src 'self'; base-uri 'none'; " +
      "form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  );
});

const foreign = [
  'https://example.com/',
  'http://127.0.0.1:1/',
  'file:///etc/passwd',
  'app://evil/',
  'app://studio.evil/',
  'app://user@studio/',
  'javascript:alert(1)',
  'ftp://studio/',
  'chrome://settings',
  'devtools://devtools/',
  'ws://127.0.0.1:5173/',
  'not an address',
];

test('only our own page is our own page, and the page may go nowhere else', () => {
  expect(isOwnPage('app://studio/')).toBe(true);
  expect(mayNavigate('app://studio/#/images')).toBe(true);
  expect(mayNavigate('app://studio/other.html')).toBe(false);
  for (const address of foreign) {
    expect(isOwnPage(address), address).toBe(false);
    expect(mayNavigate(address), address).toBe(false);
  }
});

test('requests of any other scheme or host are cancelled', () => {
  const own = ['app://studio/assets/a.js', 'image://thumb/1?size=160', 'data:image/png;base64,'];
  for (const address of [...own, 'blob:app://studio/0-1']) expect(mayRequest(address)).toBe(true);
  for (const address of [...foreign, 'blob:https://example.com/0-1']) {
    expect(mayRequest(address), address).toBe(false);
  }
});

test('a developer’s server is our page only while there is one', () => {
  const server = 'http://localhost:5173';
  expect(mayRequest('http://localhost:5173/main.ts', server)).toBe(true);
  expect(mayRequest('ws://localhost:5173/', server)).toBe(true);
  expect(mayRequest('http://localhost:9999/', server)).toBe(false);
  expect(isOwnPage('app://studio/', server)).toBe(false);
  expect(mainSource).toContain("app.isPackaged ? undefined : process.env['ELECTRON_RENDERER_URL']");
});

test('links to the outside are https and from our own list', () => {
  for (const link of links) expect(mayOpenOutside(link)).toBe(true);
  for (const address of [...foreign, 'https://arxiv.org/', 'http://arxiv.org/abs/2503.17526']) {
    expect(mayOpenOutside(address), address).toBe(false);
  }
});

describe('session', () => {
  test('every permission and device is denied, every foreign request cancelled', () => {
    const handlers: Record<string, (...args: unknown[]) => unknown> = {};
    const keep =
      (name: string) =>
      (handler: unknown): void => {
        if (typeof handler !== 'function') throw new Error(`${name} got no handler`);
        handlers[name] = (...args) => Reflect.apply(handler, undefined, args);
      };
    const session = {
      setPermissionRequestHandler: keep('request'),
      setPermissionCheckHandler: keep('check'),
      setDevicePermissionHandler: keep('device'),
      webRequest: { onBeforeRequest: keep('web') },
    };
    harden(session);
    const answer = vi.fn();
    handlers['request']?.(undefined, 'media', answer);
    expect(answer).toHaveBeenLastCalledWith(false);
    expect(handlers['check']?.(undefined, 'clipboard-read', 'app://studio')).toBe(false);
    expect(handlers['device']?.({ deviceType: 'usb' })).toBe(false);
    handlers['web']?.({ url: 'https://example.com/' }, answer);
    expect(answer).toHaveBeenLastCalledWith({ cancel: true });
    handlers['web']?.({ url: 'app://studio/' }, answer);
    expect(answer).toHaveBeenLastCalledWith({ cancel: false });
  });

  /** Only the parts that are used stand in for Electron's session. */
  function harden(session: object): void {
    const isSession = (value: object): value is Session => 'webRequest' in value;
    if (isSession(session)) hardenSession(session);
  }
});

describe('navigation', () => {
  test('pages stay where they are, open no windows and hold no web views', () => {
    const listeners = new Map<string, (event: object) => void>();
    let openHandler: (details: { url: string }) => unknown = () => undefined;
    const contents: object = {
      on: (name: string, listener: (event: object) => void) => listeners.set(name, listener),
      setWindowOpenHandler: (handler: (details: { url: string }) => unknown) => {
        openHandler = handler;
      },
    };
    const opened: string[] = [];
    const isContents = (value: object): value is WebContents => 'setWindowOpenHandler' in value;
    if (!isContents(contents)) throw new Error('not like web contents');
    hardenContents(contents, (address) => opened.push(address));

    const prevented = (name: string, event: object): boolean => {
      const preventDefault = vi.fn();
      listeners.get(name)?.({ ...event, preventDefault });
      return preventDefault.mock.calls.length > 0;
    };
    expect(prevented('will-navigate', { url: 'https://example.com/' })).toBe(true);
    expect(prevented('will-navigate', { url: 'file:///etc/passwd' })).toBe(true);
    expect(prevented('will-navigate', { url: 'app://studio/' })).toBe(false);
    const frame = { url: 'app://studio/', isMainFrame: false };
    expect(prevented('will-frame-navigate', frame)).toBe(true);
    expect(prevented('will-redirect', { url: 'app://studio/' })).toBe(true);
    expect(prevented('will-attach-webview', {})).toBe(true);
    expect(openHandler({ url: 'https://example.com/' })).toEqual({ action: 'deny' });
    expect(openHandler({ url: links[0] ?? '' })).toEqual({ action: 'deny' });
    expect(opened).toEqual([links[0]]);
  });
});

describe('messages', () => {
  const sender = (url: string, isMain = true, id = 7): Sender => {
    const senderFrame = { url, postMessage: () => undefined };
    return { sender: { id, mainFrame: isMain ? senderFrame : null }, senderFrame };
  };

  test('only the main frame of our own window is believed', () => {
    expect(isOwnSender(sender('app://studio/'), 7)).toBe(true);
    expect(isOwnSender(sender('app://studio/', false), 7)).toBe(false);
    expect(isOwnSender(sender('app://studio/'), 8)).toBe(false);
    expect(isOwnSender(sender('app://studio/'), undefined)).toBe(false);
    expect(isOwnSender(sender('app://studio.evil/'), 7)).toBe(false);
    expect(isOwnSender({ sender: { id: 7, mainFrame: null }, senderFrame: null }, 7)).toBe(false);
  });

  test('our page gets a port to the contract, any other page gets nothing', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'decon-port-'));
    const workspace = windowWorkspace(folder);
    const handed: MessagePort[] = [];
    const ask = (url: string): void => {
      const postMessage = (_channel: string, _message: unknown, [port]: MessagePort[]): void => {
        if (port !== undefined) handed.push(port);
      };
      const senderFrame = { url, postMessage };
      handPort(
        { sender: { id: 7, mainFrame: senderFrame }, senderFrame },
        {
          router: createRouter(workspace),
          windowContentsId: 7,
          createChannel: () => new MessageChannel(),
        },
      );
    };
    ask('https://example.com/');
    expect(handed).toEqual([]);
    ask('app://studio/');
    const [port] = handed;
    if (port === undefined) throw new Error('no port was handed over');
    port.start();
    const client: ContractRouterClient<typeof contract> = createORPCClient(new RPCLink({ port }));
    expect(await client.host.about()).toMatchObject({ host: 'window' });
    await expect(client.projects.open({ placeId: 'guessed' })).rejects.toMatchObject({
      data: { code: 'places.unknown' },
    });
    port.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('dropped paths become ids, and only for our own page', () => {
    const places = new Places();
    const context = { places, windowContentsId: 7 };
    const [place] = placesOfDrop(sender('app://studio/'), ['', tmpdir()], context);
    expect(place?.kind).toBe('folder');
    expect(places.pathOf(place?.placeId ?? '')).toBe(tmpdir());
    expect(placesOfDrop(sender('https://example.com/'), [tmpdir()], context)).toEqual([]);
    expect(() => placesOfDrop(sender('app://studio/'), '/etc', context)).toThrow();
  });
});

describe('protocols', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'decon-app-'));
    mkdirSync(join(folder, 'window'));
    writeFileSync(join(folder, 'window', 'index.html'), 'window');
    writeFileSync(join(folder, 'secret.html'), 'secret');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const ask = (address: string, method = 'GET'): Promise<Response> =>
    answerApp(new Request(address, { method }), join(folder, 'window'));

  test('app: gives the files of the window with the policy, to GET only', async () => {
    const page = await ask('app://studio/');
    expect(await page.text()).toBe('window');
    expect(page.headers.get('content-security-policy')).toBe(contentSecurityPolicy);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect((await ask('app://studio/', 'POST')).status).toBe(405);
  });

  test.each([
    'app://studio/../secret.html',
    'app://studio/%2e%2e/secret.html',
    'app://studio/..%2fsecret.html',
    'app://studio/..%5csecret.html',
    'app://studio//etc/passwd',
    'app://evil/index.html',
  ])('%s reaches nothing', async (address) => {
    expect((await ask(address)).status).toBe(404);
  });

  test('image: knows kinds and ids, never paths, and no SVG', async () => {
    const workspace = windowWorkspace(folder);
    const image = (address: string, method = 'GET'): Promise<Response> =>
      answerImage(new Request(address, { method }), workspace);
    for (const address of [
      'image://nothing/1',
      'image://thumb/..%2f..%2fsecret.html',
      'image://thumb/%2e%2e/secret',
      'image://etc/passwd',
    ]) {
      const answer = await image(address);
      expect([400, 404], address).toContain(answer.status);
      expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    }
    expect((await image('image://thumb/1', 'POST')).status).toBe(405);
    expect((await image('image://thumb/1?size=160')).status).toBe(404); // no project is open
    const route = new URL('../../../src-main/app/pictures/messages.ts', import.meta.url);
    expect(readFileSync(route, 'utf8')).not.toContain('svg');
  });

  test('kinds of pictures are lower case, because a browser makes hosts so', () => {
    for (const kind of Object.keys(kinds)) expect(kind).toMatch(/^[a-z][a-z0-9-]*$/);
  });
});

test('processes get a listed environment', () => {
  const env = processEnvironment({
    PATH: '/bin',
    Path: 'C:\\',
    HOME: '/root',
    DECON_LOG_DIR: '/l',
    NODE_OPTIONS: '--inspect',
    ELECTRON_RUN_AS_NODE: '1',
    AWS_SECRET_ACCESS_KEY: 'x',
    npm_config_token: 'x',
  });
  expect(env).toEqual({ PATH: '/bin', Path: 'C:\\', HOME: '/root', DECON_LOG_DIR: '/l' });
});

function windowWorkspace(folder: string): Workspace {
  return new Workspace(
    {
      kind: 'window',
      pick: () => Promise.resolve(null),
      reveal: () => false,
      setTheme: () => undefined,
    },
    new UserStateFile(join(folder, 'state')),
  );
}
