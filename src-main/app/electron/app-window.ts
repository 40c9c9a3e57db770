import type { BrowserWindow, BrowserWindowConstructorOptions, Rectangle } from 'electron';
import type { UserStateFile } from '../user-state.ts';
import { appPage, webPreferences } from './policy.ts';
import { minimumSize, windowPlace } from './window-state.ts';

/** The canvas of styles/tokens.css, so that nothing flashes before the first paint. */
const background = { light: '#f5f6f7', dark: '#121416' } as const;

/** What the window is made with. */
export function windowOptions(facts: {
  readonly stored: ReturnType<() => UserStateFile['current']['window']>;
  readonly screens: readonly Rectangle[];
  readonly isDark: boolean;
  readonly isPackaged: boolean;
  readonly preload: string;
  readonly icon: string;
}): BrowserWindowConstructorOptions {
  return {
    ...windowPlace(facts.stored, facts.screens),
    minWidth: minimumSize.width,
    minHeight: minimumSize.height,
    title: 'DeCon Studio',
    icon: facts.icon,
    show: false,
    backgroundColor: background[facts.isDark ? 'dark' : 'light'],
    webPreferences: webPreferences(facts.preload, facts.isPackaged),
  };
}

/** Shows the page when it is drawn, and remembers where the window stood. */
export function runWindow(
  window: BrowserWindow,
  userState: UserStateFile,
  devServer: string | undefined,
): Promise<void> {
  window.once('ready-to-show', () => {
    if (userState.current.window?.isMaximized === true) window.maximize();
    window.show();
  });
  const remember = (): void => {
    const { x, y, width, height } = window.getNormalBounds();
    userState.change({ window: { x, y, width, height, isMaximized: window.isMaximized() } });
  };
  window.on('close', remember);
  return window.loadURL(devServer ?? appPage);
}
