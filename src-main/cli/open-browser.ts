import { spawn } from 'node:child_process';

/** The program of each system that opens an address, and its words; started without a shell. */
export function browserCommand(
  platform: NodeJS.Platform,
  address: string,
): readonly [program: string, ...words: string[]] {
  if (platform === 'darwin') return ['open', address];
  // `start` is a word of the shell; this is what it ends up calling.
  if (platform === 'win32') return ['rundll32.exe', 'url.dll,FileProtocolHandler', address];
  return ['xdg-open', address];
}

/** Opens an address in the user's browser. @returns false when this system cannot */
export function openInBrowser(address: string): Promise<boolean> {
  const [program, ...words] = browserCommand(process.platform, address);
  return new Promise((resolve) => {
    const child = spawn(program, words, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(false));
    child.once('spawn', () => {
      child.unref();
      // Programs of this kind hand the address over and end; an early fault is seen, a wait is not.
      setTimeout(() => resolve(true), 1000).unref();
    });
    child.once('exit', (code) => resolve(code === 0));
  });
}
