import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The folders of one test: a user who starts DeCon Studio for the first time. */
export interface Home {
  /** The user's home folder; put data that is to be chosen in a dialog below it. */
  readonly dir: string;
  /** Where new projects are created. */
  readonly projectDir: string;
  readonly env: NodeJS.ProcessEnv;
  dispose(): Promise<void>;
}

/** Makes an empty home folder; nothing of the real user is read or written. */
export async function createHome(): Promise<Home> {
  const dir = await mkdtemp(join(tmpdir(), 'decon-home-'));
  const folder = async (name: string): Promise<string> => {
    await mkdir(join(dir, name), { recursive: true });
    return join(dir, name);
  };
  const projectDir = await folder('Projects');
  const env = {
    ...process.env,
    HOME: dir,
    USERPROFILE: dir,
    XDG_CONFIG_HOME: await folder('.config'),
    XDG_CACHE_HOME: await folder('.cache'),
    XDG_DATA_HOME: await folder('.local/share'),
    XDG_STATE_HOME: await folder('.local/state'),
    DECON_STATE_DIR: await folder('.config/decon-studio'),
    DECON_LOG_DIR: await folder('.local/state/decon-studio'),
    DECON_PROJECTS_DIR: projectDir,
  };
  return {
    dir,
    projectDir,
    env,
    dispose: () => rm(dir, { recursive: true, force: true, maxRetries: 5 }),
  };
}
