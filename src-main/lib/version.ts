import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { rootFolder } from './program-entries.ts';

/** The version of this program, as its package says. */
export function appVersion(): string {
  const file = readFileSync(new URL('package.json', rootFolder), 'utf8');
  return v.parse(v.pipe(v.string(), v.parseJson(), v.object({ version: v.string() })), file)
    .version;
}
