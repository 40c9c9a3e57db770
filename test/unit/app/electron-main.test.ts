/** Main of the Electron host, run with a stand-in for Electron: nothing is downloaded or opened. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { createProject } from '../../../src-main/project/project.ts';
import { markRunning } from '../../../src-main/jobs/states.ts';

interface FakeElectron {
  /** What was called, in order. */
  readonly calls: string[];
  readonly handlers: Map<string, (...args: unknown[]) => unknown>;
  readonly windows: {
    readonly options: Readonly<Record<string, unknown>>;
    emit(name: string, event?: object): void;
  }[];
  /** The buttons that are pressed next. */
  readonly answers: number[];
  questions: number;
  trays: number;
  readonly notices: string[];
}

const fake = vi.hoisted((): FakeElectron => ({
  calls: [],
  handlers: new Map(),
  windows: [],
  answers: [],
  questions: 0,
  trays: 0,
  notices: [],
}));

vi.mock('electron', async () => {
  const { EventEmitter: Emitter } = await import('node:events');
  const call =
    (name: string) =>
    (...args: unknown[]) => {
      fake.calls.push(name);
      const handler = args.at(-1);
      const key = [name, ...args.slice(0, -1)].join(' ');
      if (typeof handler === 'function') {
        fake.handlers.set(key, (...given) => Reflect.apply(handler, undefined, given));
      }
    };
  class BrowserWindow extends Emitter {
    readonly webContents = { id: 7 };
    readonly options: Record<string, unknown>;
    constructor(options: Record<string, unknown>) {
      super();
      this.options = options;
      fake.windows.push(this);
      fake.calls.push('BrowserWindow');
    }
    loadURL(address: string): Promise<void> {
      fake.calls.push(`load ${address}`);
      return Promise.resolve();
    }
    getNormalBounds = () => ({ x: 10, y: 20, width: 1000, height: 700 });
    isMaximized = () => false;
    isMinimized = () => false;
    show = call('show');
    hide = call('hide');
    focus = call('focus');
    setProgressBar = call('progress');
    destroy(): void {
      fake.calls.push('destroy');
      this.emit('closed');
    }
  }
  class Tray extends Emitter {
    setContextMenu = call('tray menu');
    setToolTip = call('tooltip');
    constructor() {
      super();
      fake.trays += 1;
    }
    destroy(): void {
      fake.trays -= 1;
    }
  }
  class Notification extends Emitter {
    static isSupported = () => true;
    constructor(text: { title: string }) {
      super();
      fake.notices.push(text.title);
    }
    show = call('notification');
  }
  const app = Object.assign(new Emitter(), {
    isPackaged: true,
    enableSandbox: call('sandbox'),
    requestSingleInstanceLock: () => fake.calls.push('lock') > 0,
    whenReady: () => Promise.resolve(fake.calls.push('ready')),
    setAppUserModelId: call('id'),
    quit: call('quit'),
  });
  return {
    app,
    BrowserWindow,
    Tray,
    Notification,
    dialog: {
      showMessageBox: () => {
        fake.questions += 1;
        return Promise.resolve({ response: fake.answers.shift() ?? 2 });
      },
      showErrorBox: call('error box'),
    },
    ipcMain: { on: call('ipc on'), handle: call('ipc handle') },
    Menu: { setApplicationMenu: call('menu'), buildFromTemplate: (template: unknown) => template },
    MessageChannelMain: MessageChannel,
    nativeTheme: { themeSource: 'system', shouldUseDarkColors: true },
    protocol: { registerSchemesAsPrivileged: call('schemes'), handle: call('protocol') },
    screen: { getAllDisplays: () => [{ workArea: { x: 0, y: 0, width: 1920, height: 1080 } }] },
    session: {
      defaultSession: {
        setPermissionRequestHandler: call('permission request'),
        setPermissionCheckHandler: call('permission check'),
        setDevicePermissionHandler: call('device'),
        webRequest: { onBeforeRequest: call('requests') },
      },
    },
    shell: { showItemInFolder: call('reveal'), openExternal: call('outside') },
    utilityProcess: { fork: call('fork') },
  };
});

const folder = mkdtempSync(join(tmpdir(), 'decon-main-'));
process.env['DECON_STATE_DIR'] = join(folder, 'state');
process.env['DECON_LOG_DIR'] = join(folder, 'log');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The window as it is now. */
const shown = () => fake.windows.at(-1);
const closeEvent = () => ({ preventDefault: vi.fn() });

test('it starts locked down, opens its page, and asks before running jobs lose their window', async () => {
  const dir = join(folder, 'cells.decon');
  const project = createProject(dir, 'cells');
  process.argv = ['decon-studio', dir];
  await import('../../../src-main/app/electron/main.ts');
  await vi.waitFor(() => expect(fake.calls).toContain('load app://studio/'));

  const order = ['sandbox', 'schemes', 'lock', 'ready', 'requests', 'protocol', 'BrowserWindow'];
  expect(order.toSorted((a, b) => fake.calls.indexOf(a) - fake.calls.indexOf(b))).toEqual(order);
  expect(fake.calls.filter((name) => name === 'schemes')).toHaveLength(1);
  expect([...fake.handlers.keys()].filter((key) => key.startsWith('protocol'))).toEqual([
    'protocol app',
    'protocol image',
  ]);
  expect(shown()?.options).toMatchObject({
    show: false,
    backgroundColor: '#121416',
    webPreferences: { sandbox: true, contextIsolation: true, devTools: false },
  });

  // Nothing runs: the window may close, and its place is remembered.
  const idle = closeEvent();
  shown()?.emit('close', idle);
  expect(idle.preventDefault).not.toHaveBeenCalled();
  expect(fake.questions).toBe(0);

  const job = project.jobs.create({ type: 'pretrain', options: {} });
  markRunning(project, job);
  const stay = closeEvent();
  shown()?.emit('close', stay);
  expect(stay.preventDefault).toHaveBeenCalled();
  await vi.waitFor(() => expect(fake.questions).toBe(1));

  fake.answers.push(1); // in the background
  shown()?.emit('close', closeEvent());
  await vi.waitFor(() => expect(fake.calls).toContain('destroy'));
  expect(fake.trays).toBe(1);
  expect(fake.notices).toEqual(['Still working']);
  expect(fake.calls).not.toContain('quit');

  const { app } = await import('electron');
  app.emit('activate');
  await vi.waitFor(() => expect(fake.windows).toHaveLength(2));
  expect(fake.trays).toBe(0);
  expect(shown()?.options).toMatchObject({ x: 10, y: 20, width: 1000, height: 700 });

  fake.answers.push(0); // pause and quit
  shown()?.emit('close', closeEvent());
  await vi.waitFor(() => expect(fake.calls).toContain('quit'));
  expect(fake.calls).toContain('hide');
  project.dispose();
});
