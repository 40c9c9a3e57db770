import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src-main/cli/main.ts', import.meta.url));

/** A running `decon serve`. */
export interface ServeProcess {
  /** An address that opens the app once. */
  readonly link: string;
  /** Presses Enter in its terminal. @returns the address it prints */
  newLink(): Promise<string>;
  /** Ends it as a power failure would. */
  kill9(): Promise<void>;
  /** Ctrl-C. @returns its exit code */
  stop(): Promise<number | null>;
}

/** Starts `decon serve` as a real process and waits until it serves. */
export async function startServe(
  env: NodeJS.ProcessEnv,
  options: { readonly assets: string; readonly arguments?: readonly string[] },
): Promise<ServeProcess> {
  const words = ['serve', '--json', '--assets', options.assets, ...(options.arguments ?? [])];
  const child = spawn(process.execPath, [main, ...words], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const links = linksOf(child);
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return {
    link: await links(),
    newLink: () => {
      child.stdin.write('\n');
      return links();
    },
    kill9: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: async () => {
      child.kill('SIGINT');
      return exited;
    },
  };
}

/** The addresses that a process prints, one a call; rejects when the process ends first. */
function linksOf(child: ChildProcess): () => Promise<string> {
  const found: string[] = [];
  const waiting: {
    readonly resolve: (link: string) => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  let printed = '';
  if (child.stdout === null || child.stderr === null) throw new Error('decon serve has no output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    printed += `${line}\n`;
    const link = /"url":"([^"]+)"/.exec(line)?.[1];
    if (link === undefined) return;
    const next = waiting.shift();
    if (next === undefined) found.push(link);
    else next.resolve(link);
  });
  child.stderr.on('data', (text: Buffer) => (printed += text.toString()));
  child.once('close', (code) => {
    for (const { reject } of waiting) {
      reject(new Error(`decon serve ended with code ${String(code)}:\n${printed}`));
    }
  });
  return () => {
    const link = found.shift();
    if (link !== undefined) return Promise.resolve(link);
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
}
