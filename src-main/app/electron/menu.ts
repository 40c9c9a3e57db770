import type { MenuItemConstructorOptions } from 'electron';

/** What the menu bar needs to know of the program. */
export interface MenuContext {
  readonly platform: NodeJS.Platform;
  readonly isPackaged: boolean;
  /** Runs a command of the page by its id. */
  readonly send: (command: string) => void;
  readonly openOutside: (address: string) => void;
}

type Items = MenuItemConstructorOptions[];

const separator: MenuItemConstructorOptions = { type: 'separator' };

/**
 * The menu bar. Its commands are those of the page; `registerAccelerator: false` where the page
 * listens to the key itself, so that nothing happens twice.
 */
export function menuTemplate(context: MenuContext): Items {
  const isMac = context.platform === 'darwin';
  const command = (
    label: string,
    id: string,
    accelerator?: string,
  ): MenuItemConstructorOptions => ({
    label,
    id,
    ...(accelerator === undefined ? {} : { accelerator, registerAccelerator: false }),
    click: () => context.send(id),
  });
  const file: Items = [
    { ...command('New Project…', 'project.new', 'CmdOrCtrl+N'), registerAccelerator: true },
    command('Open Project…', 'project.open', 'CmdOrCtrl+O'),
    command('Projects', 'go.home'),
    separator,
    isMac ? { role: 'close' } : { role: 'quit' },
  ];
  const edit: Items = [
    { role: 'undo' },
    { role: 'redo' },
    separator,
    { role: 'cut' },
    { role: 'copy' },
    { role: 'paste' },
    { role: 'selectAll' },
  ];
  const view: Items = [
    command('Commands…', 'palette', 'CmdOrCtrl+K'),
    separator,
    ...steps.map(({ label, id }, index) => command(label, id, `Alt+${index + 1}`)),
    separator,
    {
      label: 'Theme',
      submenu: [
        command('As the System', 'theme.system'),
        command('Light', 'theme.light'),
        command('Dark', 'theme.dark'),
      ],
    },
    separator,
    { role: 'resetZoom' },
    { role: 'zoomIn' },
    { role: 'zoomOut' },
    { role: 'togglefullscreen' },
    ...developer(context),
  ];
  const help: Items = [
    {
      label: 'The Method (Paper)',
      click: () => context.openOutside('https://arxiv.org/abs/2503.17526'),
    },
    ...(isMac ? [] : [separator, { role: 'about' } as const]),
  ];
  return [
    ...(isMac ? [{ role: 'appMenu' } as const] : []),
    { label: '&File', submenu: file },
    { label: '&Edit', submenu: edit },
    { label: '&View', submenu: view },
    ...(isMac ? [{ role: 'windowMenu' } as const] : []),
    { role: 'help', label: '&Help', submenu: help },
  ];
}

const steps = [
  { label: 'Images', id: 'go.images' },
  { label: 'Pre-train', id: 'go.pretrain' },
  { label: 'Label', id: 'go.label' },
  { label: 'Study', id: 'go.study' },
  { label: 'Use', id: 'go.use' },
] as const;

/** Tools of the developer exist only in a program that was not packaged. */
function developer({ isPackaged }: MenuContext): Items {
  return isPackaged ? [] : [separator, { role: 'reload' }, { role: 'toggleDevTools' }];
}
