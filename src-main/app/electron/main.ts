/** DeCon Studio in a window of its own. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  MessageChannelMain,
  nativeTheme,
  Notification,
  protocol,
  screen,
  session,
  shell,
  Tray,
  utilityProcess,
} from 'electron';
import { detach } from '../../lib/detach.ts';
import { messageOf } from '../../lib/errors.ts';
import { log, openLog, stackOf, userLogFolder } from '../../lib/log.ts';
import { rootFolder, windowFolder } from '../../lib/program-entries.ts';
import { setProcessStarter } from '../../lib/programs.ts';
import { createRouter } from '../router.ts';
import { Workspace } from '../workspace.ts';
import { runWindow, windowOptions } from './app-window.ts';
import { endingText, workState } from './background.ts';
import { channels } from './channels.ts';
import { closingOf, closingQuestion } from './closing.ts';
import { openDialogOptions } from './dialogs.ts';
import { hardenContents, hardenSession } from './harden.ts';
import { projectAt, projectOfArguments } from './launch.ts';
import { menuTemplate } from './menu.ts';
import { mayOpenOutside, schemes } from './policy.ts';
import { handPort, placesOfDrop } from './ports.ts';
import { utilityStarter } from './processes.ts';
import { answerApp, answerImage } from './protocols.ts';

// Before `ready`: the sandbox for every page, our two schemes, and only one program at a time.
app.enableSandbox();
protocol.registerSchemesAsPrivileged([...schemes]);
openLog(process.env['DECON_LOG_DIR'] ?? userLogFolder());

/** A page that is renewed while it is written; only in a program that was not packaged. */
const devServer = app.isPackaged ? undefined : process.env['ELECTRON_RENDERER_URL'];
const resources = fileURLToPath(new URL('resources/', rootFolder));
const preload = fileURLToPath(new URL('out/preload/preload.cjs', rootFolder));

let window: BrowserWindow | undefined;
let tray: Tray | undefined;
/** Set when the user has decided about running jobs; the next close is not asked about. */
let mayClose = false;
let isAsking = false;

const workspace = new Workspace({
  kind: 'window',
  pick: async (request) => {
    const options = openDialogOptions(request);
    const { canceled, filePaths } = await (window === undefined
      ? dialog.showOpenDialog(options)
      : dialog.showOpenDialog(window, options));
    return canceled ? null : filePaths;
  },
  reveal: (path) => {
    shell.showItemInFolder(path);
    return true;
  },
  setTheme: (theme) => (nativeTheme.themeSource = theme),
  jobEnded: (job) => {
    if (window === undefined) notify(endingText(workspace, job));
  },
});
const router = createRouter(workspace);

if (app.requestSingleInstanceLock()) start();
else app.quit();

function start(): void {
  app.on('second-instance', (_event, words, folder) => {
    detach(openGiven(projectOfArguments(words, { isPackaged: app.isPackaged, folder })), 'window');
  });
  app.on('open-file', (event, path) => {
    event.preventDefault();
    detach(
      app.whenReady().then(() => openGiven(projectAt(path))),
      'window',
    );
  });
  app.on('web-contents-created', (_event, contents) => {
    hardenContents(contents, openOutside, devServer);
  });
  app.on('activate', () => detach(showWindow(), 'window'));
  app.on('window-all-closed', () => {
    // With a job that works on in the background the program stays, without a window.
    if (tray === undefined) app.quit();
  });
  app.on('before-quit', (event) => {
    if (mayClose || workState(workspace).titles.length === 0) return;
    event.preventDefault();
    detach(askToClose(), 'window');
  });
  app.on('will-quit', (event) => {
    if (workspace.opened === undefined) return;
    event.preventDefault(); // until the project is closed
    detach(
      workspace.close().finally(() => app.quit()),
      'window',
    );
  });
  app.on('render-process-gone', (_event, _contents, { reason, exitCode }) => {
    log('error', 'window', 'the page is gone', { reason, exitCode });
    if (reason !== 'clean-exit') window?.reload();
  });
  detach(app.whenReady().then(ready), 'window');
}

async function ready(): Promise<void> {
  app.setAppUserModelId('studio.decon.app');
  nativeTheme.themeSource = workspace.userState.current.theme;
  setProcessStarter(utilityStarter({ utilityProcess }));
  hardenSession(session.defaultSession, devServer);
  protocol.handle('app', (request) => answerApp(request, windowFolder));
  protocol.handle('image', (request) => answerImage(request, workspace));
  ipcMain.on(channels.connect, (event) => {
    handPort(event, {
      router,
      windowContentsId: window?.webContents.id,
      createChannel: () => new MessageChannelMain(),
      devServer,
    });
  });
  ipcMain.handle(channels.drop, (event, paths: unknown) =>
    placesOfDrop(event, paths, {
      places: workspace.places,
      windowContentsId: window?.webContents.id,
      devServer,
    }),
  );
  const { isPackaged } = app;
  const send = (command: string): void => workspace.hostCommands.send(command);
  const { platform } = process;
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(menuTemplate({ platform, isPackaged, send, openOutside })),
  );
  workspace.changes.listen(showWork);
  await openGiven(projectOfArguments(process.argv, { isPackaged, folder: process.cwd() }));
}

/** Opens a project that the system handed over, if any, and shows the window. */
async function openGiven(dir: string | undefined): Promise<void> {
  if (dir !== undefined && dir !== workspace.opened?.project.dir) {
    try {
      await workspace.open(dir);
    } catch (error) {
      log('error', 'window', stackOf(error));
      dialog.showErrorBox('The project could not be opened', messageOf(error));
    }
  }
  await showWindow();
}

async function showWindow(): Promise<void> {
  tray?.destroy();
  tray = undefined;
  if (window !== undefined) {
    if (window.isMinimized()) window.restore();
    window.focus();
    return;
  }
  const { userState } = workspace;
  const made = new BrowserWindow(
    windowOptions({
      stored: userState.current.window,
      screens: screen.getAllDisplays().map(({ workArea }) => workArea),
      isDark: nativeTheme.shouldUseDarkColors,
      isPackaged: app.isPackaged,
      preload,
      icon: join(resources, 'icons', 'icon.png'),
    }),
  );
  window = made;
  made.on('close', (event) => {
    if (mayClose || workState(workspace).titles.length === 0) return;
    event.preventDefault();
    detach(askToClose(), 'window');
  });
  made.on('closed', () => (window = undefined));
  await runWindow(made, userState, devServer);
}

/** Asks what becomes of running jobs, and does it. */
async function askToClose(): Promise<void> {
  if (isAsking) return;
  isAsking = true;
  const question = closingQuestion(workState(workspace).titles);
  const { response } = await (window === undefined
    ? dialog.showMessageBox(question)
    : dialog.showMessageBox(window, question));
  isAsking = false;
  switch (closingOf(response)) {
    case 'stay':
      return;
    case 'background':
      return goToBackground();
    case 'pause-and-quit':
      mayClose = true;
      window?.hide();
      await workspace.close();
      return app.quit();
  }
}

/** Jobs go on, the page is gone; the tray and a notification lead back. */
function goToBackground(): void {
  tray = new Tray(join(resources, 'icons', 'tray.png'));
  const back = (): void => detach(showWindow(), 'window');
  tray.setContextMenu(
    Menu.buildFromTemplate([
      { label: 'Open DeCon Studio', click: back },
      { label: 'Pause and Quit', click: () => detach(askToClose(), 'window') },
    ]),
  );
  tray.on('click', back);
  const { line } = workState(workspace);
  tray.setToolTip(line);
  notify({ title: 'Still working', body: `${line}. DeCon Studio tells when it has ended.` });
  window?.destroy();
}

function showWork(): void {
  const { share, line } = workState(workspace);
  window?.setProgressBar(share);
  tray?.setToolTip(line);
}

function notify(text: { readonly title: string; readonly body: string }): void {
  if (!Notification.isSupported()) return;
  const notification = new Notification(text);
  notification.on('click', () => detach(showWindow(), 'window'));
  notification.show();
}

function openOutside(address: string): void {
  if (mayOpenOutside(address)) detach(shell.openExternal(address), 'window');
}
