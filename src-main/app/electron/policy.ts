import type { CustomScheme, WebPreferences } from 'electron';

/** The address of our own page, and of nothing else. */
export const appOrigin = 'app://studio';
export const appPage = `${appOrigin}/`;

/** Registered once, before `ready`; anything not named here is off. */
export const schemes: readonly CustomScheme[] = [
  {
    scheme: 'app',
    privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
  },
  {
    scheme: 'image',
    privileges: { standard: true, secure: true, supportFetchAPI: true, corsEnabled: true },
  },
];

/** The page has no Node, no Electron and no tools; `preload` is its one door. */
export function webPreferences(preload: string, isPackaged: boolean): WebPreferences {
  return {
    preload,
    sandbox: true,
    contextIsolation: true,
    webSecurity: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webviewTag: false,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    devTools: !isPackaged,
    spellcheck: false,
    // Jobs go on in their own processes; the curves of a hidden window can wait.
    backgroundThrottling: true,
  };
}

/** Whether an address is our own page; parsed, because a prefix says nothing. */
export function isOwnPage(address: string, devServer?: string): boolean {
  const url = parsed(address);
  if (url === undefined) return false;
  if (devServer !== undefined) return url.origin === new URL(devServer).origin;
  return url.protocol === 'app:' && url.host === 'studio' && url.username === '';
}

/** Whether the page may go there: only to itself, as a reload does. */
export function mayNavigate(address: string, devServer?: string): boolean {
  const url = parsed(address);
  return url !== undefined && isOwnPage(address, devServer) && url.pathname === '/';
}

/** Whether anything of the session may be loaded from there; every other scheme is cancelled. */
export function mayRequest(address: string, devServer?: string): boolean {
  const url = parsed(address);
  if (url === undefined) return false;
  if (isOwnPage(address, devServer) || url.protocol === 'image:' || url.protocol === 'data:') {
    return true;
  }
  if (url.protocol === 'blob:') return isOwnPage(url.pathname, devServer);
  if (devServer === undefined) return false;
  // The developer's tools, and the socket over which the page is renewed.
  return (
    url.protocol === 'devtools:' || (url.protocol === 'ws:' && url.host === new URL(devServer).host)
  );
}

/** Pages that the app shows links to. */
export const links: readonly string[] = ['https://arxiv.org/abs/2503.17526'];

/** Whether an address may be handed to the system's browser. */
export function mayOpenOutside(address: string): boolean {
  const url = parsed(address);
  return url?.protocol === 'https:' && links.includes(url.href);
}

/** What a process of ours learns of the environment: what finds folders, files and drivers. */
export function processEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.entries(env).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      (passedNames.has(entry[0].toUpperCase()) || /^(DECON|VK|XDG|LC)_/.test(entry[0])),
  );
  return Object.fromEntries(entries);
}

const passedNames: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'TZ',
  'TMPDIR',
  'TEMP',
  'TMP',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
  'SYSTEMROOT',
  'WINDIR',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'NUMBER_OF_PROCESSORS',
  'LD_LIBRARY_PATH',
  'CUDA_VISIBLE_DEVICES',
  'DISPLAY',
  'WAYLAND_DISPLAY',
]);

function parsed(address: string): URL | undefined {
  return URL.canParse(address) ? new URL(address) : undefined;
}
