import { SvelteMap } from 'svelte/reactivity';

/** Something the user can do from the palette, a shortcut or the menu. */
export interface Command {
  readonly id: string;
  readonly title: string;
  /** One line: what it does. */
  readonly hint?: string;
  /** As shown and as pressed: `Ctrl+Z`, `Shift+F`, `[`; `Ctrl` is Command on a Mac. */
  readonly shortcut?: string;
  /** The part of the list it belongs to. */
  readonly group?: string;
  readonly isEnabled?: () => boolean;
  readonly run: () => void;
}

const isMac = navigator.userAgent.includes('Mac OS X');

/** Every command that can be given now. One instance for the window. */
class Commands {
  readonly all = new SvelteMap<string, Command>();
  isPaletteOpen = $state(false);

  /** Call it in an `$effect`, whose end takes the commands away again. */
  register(list: readonly Command[]): () => void {
    for (const command of list) this.all.set(command.id, command);
    return () => {
      for (const { id } of list) this.all.delete(id);
    };
  }

  run(id: string): void {
    const command = this.all.get(id);
    if (command !== undefined && command.isEnabled?.() !== false) command.run();
  }

  /** Runs the command of a pressed key. Keys without Ctrl or Alt stay with text fields. */
  handle(event: KeyboardEvent): void {
    if (event.defaultPrevented) return;
    const pressed = pressedKeys(event);
    const command = [...this.all.values()].find(({ shortcut }) => shortcut === pressed);
    if (command === undefined || command.isEnabled?.() === false) return;
    if (isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey) return;
    if (document.querySelector('dialog[open]') !== null && command.id !== 'palette') return;
    event.preventDefault();
    command.run();
  }
}

export const commands = new Commands();

/** A shortcut as this system writes it. */
export function shownShortcut(shortcut: string): string {
  return isMac
    ? shortcut.replace('Ctrl', '⌘').replace('Alt', '⌥').replace('Shift', '⇧').replaceAll('+', '')
    : shortcut;
}

function pressedKeys(event: KeyboardEvent): string {
  const parts: string[] = [];
  if (isMac ? event.metaKey : event.ctrlKey) parts.push('Ctrl');
  if (event.altKey) parts.push('Alt');
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const isLetter = key.length > 1 || key.toLowerCase() !== key;
  if (event.shiftKey && isLetter) parts.push('Shift');
  return [...parts, key === ' ' ? 'Space' : key].join('+');
}

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement)
    return !['checkbox', 'radio', 'button'].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
