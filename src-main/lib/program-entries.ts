import { fileURLToPath } from 'node:url';

/**
 * Where the parts of this program lie: among the sources, or in the bundle (`out/main/*.js` beside
 * `resources/`), where one file holds many modules and their own addresses say nothing.
 */
const isBundle = !import.meta.url.endsWith('/src-main/lib/program-entries.ts');

/** The programs that run in processes of their own. */
export const programEntries = {
  job: entry('jobs/entry.ts', 'job.js'),
  deviceProbe: entry('graph/device-probe.ts', 'device-probe.js'),
  pictures: entry('app/pictures/process.ts', 'pictures.js'),
} as const;

export type ProgramName = keyof typeof programEntries;

/** `package.json` and `resources/` lie here. */
export const rootFolder = new URL('../../', import.meta.url);

/** The demo images; beside the archive of a packed program, because libvips cannot look into it. */
export const demoFolder = fileURLToPath(new URL('resources/demo/', rootFolder)).replace(
  /([\\/]app\.asar)([\\/])/,
  '$1.unpacked$2',
);

/** The built window. */
export const windowFolder = fileURLToPath(new URL('out/renderer/', rootFolder));

function entry(source: string, bundled: string): URL {
  return new URL(isBundle ? `./${bundled}` : `../${source}`, import.meta.url);
}
