import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startAppServer, type AppServer } from '../../../src-main/app/serve/server.ts';
import { UserStateFile } from '../../../src-main/app/user-state.ts';
import { Workspace } from '../../../src-main/app/workspace.ts';
import { place } from '../../../src-main/contract/values.ts';
import { createProject } from '../../../src-main/project/project.ts';

let folder = '';
let workspace: Workspace;
let server: AppServer;
let cookie = '';

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'decon-serve-'));
  const assets = join(folder, 'window');
  mkdirSync(join(assets, 'assets'), { recursive: true });
  writeFileSync(join(assets, 'index.html'), '<title>window</title>');
  writeFileSync(join(assets, 'assets', 'main-1a2b.js'), 'true');
  writeFileSync(join(folder, 'secret.js'), 'secret');
  const host = {
    kind: 'browser' as const,
    pick: () => Promise.resolve(null),
    reveal: () => false,
    setTheme: () => undefined,
  };
  workspace = new Workspace(host, new UserStateFile(join(folder, 'state')));
  server = await startAppServer(workspace, { port: 0, assets });
  const answer = await ask({ path: pathOf(server.link()) });
  cookie = answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
});

afterEach(async () => {
  await server.close();
  await workspace.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

interface Asked {
  readonly method?: string;
  /** As it is sent; nothing resolves it. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function ask({ method = 'GET', path, headers = {}, body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request(
      { port: server.port, host: '127.0.0.1', method, path, headers: { ...length, ...headers } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => (text += part));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

const known = () => ({ cookie });
const own = () => ({ cookie, origin: `http://127.0.0.1:${server.port}` });
const pathOf = (link: string): string => link.slice(link.indexOf('/?'));

test('an address opens the app once, with a cookie that no script and no other site gets', async () => {
  const link = pathOf(server.link());
  const first = await ask({ path: link });
  expect(first.status).toBe(200);
  expect(first.headers['set-cookie']?.[0]).toMatch(
    /^decon-\d+=\S+; HttpOnly; SameSite=Strict; Path=\/$/,
  );
  expect(first.headers['refresh']).toBe('0; url=/');
  const second = await ask({ path: link });
  expect(second.status).toBe(401);
  expect(second.text).toContain('used already');
  expect(second.headers['set-cookie']).toBeUndefined();
});

test('the window is served to a known browser only', async () => {
  expect((await ask({ path: '/', headers: known() })).text).toBe('<title>window</title>');
  expect((await ask({ path: '/' })).status).toBe(401);
  expect((await ask({ path: '/?token=wrong' })).status).toBe(401);
  const forged = cookie.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
  expect((await ask({ path: '/', headers: { cookie: forged } })).status).toBe(401);
});

test('every answer carries the policy; files named by content are kept, the rest is asked again', async () => {
  const page = await ask({ path: '/', headers: known() });
  const script = await ask({ path: '/assets/main-1a2b.js', headers: known() });
  const refused = await ask({ path: '/' });
  for (const { headers } of [page, script, refused]) {
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
  }
  expect(page.headers['cache-control']).toBe('no-cache');
  expect(script.headers['cache-control']).toBe('max-age=31536000, immutable');
  expect(refused.headers['cache-control']).toBe('no-store');
});

test.each(['localhost', 'evil.example', '127.0.0.1'])(
  'the host name %s is refused',
  async (host) => {
    const answer = await ask({ path: '/', headers: { ...known(), host } });
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('Wrong host');
  },
);

test('a call from another origin, or from none, is refused', async () => {
  const call = { method: 'POST', path: '/rpc/host/about', body: '{}' };
  const json = { 'content-type': 'application/json' };
  for (const origin of ['http://evil.example', 'null', `http://127.0.0.1:${server.port + 1}`]) {
    expect((await ask({ ...call, headers: { ...known(), ...json, origin } })).status).toBe(403);
  }
  expect((await ask({ ...call, headers: { ...known(), ...json } })).status).toBe(403);
  expect((await ask({ ...call, headers: { ...own(), ...json } })).status).toBe(200);
  const crossSite = { ...own(), ...json, 'sec-fetch-site': 'cross-site' };
  expect((await ask({ ...call, headers: crossSite })).status).toBe(403);
});

test.each(['PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'])('%s is refused', async (method) => {
  expect((await ask({ method, path: '/', headers: own() })).status).toBe(405);
});

test('calls are neither answered to GET nor beyond their size', async () => {
  expect((await ask({ path: '/rpc/host/about', headers: own() })).status).toBe(404);
  const announced = { ...own(), 'content-length': '99000000' };
  const large = await ask({ method: 'POST', path: '/rpc/host/about', headers: announced });
  expect(large.status).toBe(413);
});

test.each([
  '/../secret.js',
  '/%2e%2e/secret.js',
  '/assets/..%2f..%2fsecret.js',
  '/..%5csecret.js',
  '/assets/%00.js',
  '//etc/passwd.js',
  '/file:///etc/passwd.js',
  '/%',
])('%s reaches nothing outside of the window', async (path) => {
  const answer = await ask({ path, headers: known() });
  expect(answer.status).toBe(404);
  expect(answer.text).not.toContain('secret');
});

test('a page of refusal never repeats what was asked', async () => {
  const answer = await ask({ path: '/<script>alert(1)</script>?token=<b>', headers: known() });
  expect(answer.status).toBe(404);
  expect(answer.text).not.toContain('alert');
});

const drop = (name: string): Asked => ({
  method: 'POST',
  path: `/drop?drop=0b1f6d0e-1111&name=${encodeURIComponent(name)}`,
  headers: own(),
  body: 'pixels',
});

const answerOfDrop = v.object({ file: place, folder: place });

test('a dropped image lies in the cache of the project until it closes', async () => {
  const project = await workspace.use(createProject(join(folder, 'a.decon'), 'a'));
  const answers = [await ask(drop('Zelle 1.png')), await ask(drop('Zelle 1.png'))];
  const [first, second] = answers.map(({ text }) => v.parse(answerOfDrop, JSON.parse(text)));
  expect(first?.file.name).toBe('Zelle 1.png');
  expect(second?.file.name).toBe('Zelle 1 (2).png');
  const path = workspace.places.pathOf(first?.file.placeId ?? '');
  expect(readFileSync(path, 'utf8')).toBe('pixels');
  expect(path.startsWith(join(project.dir, 'cache', 'dropped'))).toBe(true);
  await workspace.close();
  expect(existsSync(path)).toBe(false);
});

test.each(['a.exe', '../a.png', 'a/b.png', '..\\a.png', '.png', 'a\0.png', ''])(
  'the name "%s" is no image to drop',
  async (name) => {
    const project = await workspace.use(createProject(join(folder, 'a.decon'), 'a'));
    const answer = await ask(drop(name));
    expect(answer.status).toBe(422);
    expect(answer.text).toContain('Only images can be dropped here');
    expect(readdirSync(join(project.dir, 'cache'))).toEqual([]);
  },
);

test('nothing can be dropped without a project, from elsewhere or into another folder', async () => {
  expect((await ask(drop('a.png'))).status).toBe(422);
  expect((await ask({ ...drop('a.png'), headers: known() })).status).toBe(403);
  const elsewhere = { ...drop('a.png'), path: '/drop?drop=../../../../tmp&name=a.png' };
  expect((await ask(elsewhere)).status).toBe(400);
});
