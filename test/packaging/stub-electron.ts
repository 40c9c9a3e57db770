import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPackage } from '@electron/asar';
import * as v from 'valibot';

const manifest = new URL('../../node_modules/electron/package.json', import.meta.url);

/** What a packager expects of Electron's folder, without a program in it; needs no network. */
export async function makeStubElectron(folder: string): Promise<string> {
  const dist = join(folder, 'electron');
  mkdirSync(join(dist, 'resources'), { recursive: true });
  const { version } = v.parse(
    v.pipe(v.string(), v.parseJson(), v.object({ version: v.string() })),
    readFileSync(manifest, 'utf8'),
  );
  writeFileSync(join(dist, 'version'), version);
  writeFileSync(join(dist, 'electron'), '#!/bin/sh\nexit 0\n');
  chmodSync(join(dist, 'electron'), 0o755);
  const defaultApp = join(folder, 'default-app');
  mkdirSync(defaultApp);
  writeFileSync(join(defaultApp, 'package.json'), '{"name":"default-app","version":"1.0.0"}');
  await createPackage(defaultApp, join(dist, 'resources', 'default_app.asar'));
  return dist;
}
