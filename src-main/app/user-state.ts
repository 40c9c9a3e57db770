import { mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { writeFileAtomic } from '../lib/files.ts';

const stateSchema = v.object({
  theme: v.fallback(v.picklist(['system', 'light', 'dark']), 'system'),
  recent: v.fallback(
    v.array(v.object({ dir: v.string(), name: v.string(), openedAt: v.number() })),
    [],
  ),
  /** Size, place and state of the window, in screen pixels. */
  window: v.fallback(
    v.nullable(
      v.object({
        x: v.number(),
        y: v.number(),
        width: v.number(),
        height: v.number(),
        isMaximized: v.boolean(),
      }),
    ),
    null,
  ),
});
export type UserState = Readonly<v.InferOutput<typeof stateSchema>>;

/** What the program remembers between starts, outside of any project. A damaged file is forgotten. */
export class UserStateFile {
  readonly #file: string;
  #state: UserState;

  constructor(folder = userStateFolder()) {
    mkdirSync(folder, { recursive: true });
    this.#file = join(folder, 'state.json');
    this.#state = read(this.#file);
  }

  get current(): UserState {
    return this.#state;
  }

  change(change: Partial<UserState>): void {
    this.#state = { ...this.#state, ...change };
    const text = `${JSON.stringify(this.#state, null, 2)}\n`;
    writeFileAtomic(this.#file, [new TextEncoder().encode(text)]);
  }
}

/** The folder of this user's settings, by the habits of each system; `DECON_STATE_DIR` overrides it. */
export function userStateFolder(): string {
  const chosen = process.env['DECON_STATE_DIR'];
  if (chosen !== undefined) return chosen;
  const home = homedir();
  if (process.platform === 'darwin') {
    return join(home, 'Library', 'Application Support', 'DeCon Studio');
  }
  if (process.platform === 'win32') {
    return join(process.env['APPDATA'] ?? join(home, 'AppData', 'Roaming'), 'DeCon Studio');
  }
  return join(process.env['XDG_CONFIG_HOME'] ?? join(home, '.config'), 'decon-studio');
}

function read(file: string): UserState {
  try {
    return v.parse(stateSchema, JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // Absent or damaged: nothing of value is kept here.
    return v.parse(stateSchema, {});
  }
}
