import { readFile } from 'node:fs/promises';
import { extname, join, resolve, sep } from 'node:path';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

export interface Asset {
  readonly body: Uint8Array;
  readonly type: string;
  readonly cacheControl: string;
}

/** A file of the window; undefined for what is not there, is of no known type or lies outside. */
export async function readAsset(root: string, pathname: string): Promise<Asset | undefined> {
  const wanted = pathname === '/' ? '/index.html' : decoded(pathname);
  const path = resolve(join(root, wanted));
  const type = types[extname(path)];
  if (type === undefined || !path.startsWith(resolve(root) + sep)) return undefined;
  try {
    // Vite names the files in assets/ by their content.
    const isNamedByContent = wanted.startsWith('/assets/');
    const cacheControl = isNamedByContent ? 'max-age=31536000, immutable' : 'no-cache';
    return { body: await readFile(path), type, cacheControl };
  } catch {
    return undefined;
  }
}

function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return '';
  }
}
