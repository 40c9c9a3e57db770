import { fileURLToPath } from 'node:url';
import type { UtilityProcess, utilityProcess } from 'electron';
import { isRelayed, ProcessRelay } from '../../lib/process-relay.ts';
import { programEntries } from '../../lib/program-entries.ts';
import { keepLastLines, type ProcessExit, type ProcessStarter } from '../../lib/programs.ts';
import { processEnvironment } from './policy.ts';

/** What a process printed last may arrive just after its end is told. */
const drainMs = 100;

/** Starts our processes as utility processes, which also work where Electron cannot run as Node. */
export function utilityStarter(electron: {
  readonly utilityProcess: Pick<typeof utilityProcess, 'fork'>;
}): ProcessStarter {
  const start: ProcessStarter = ({ entry, arguments: words = [], onMessage }) => {
    const child = electron.utilityProcess.fork(fileURLToPath(entry), [...words], {
      serviceName: serviceName(entry),
      stdio: 'pipe',
      env: processEnvironment(process.env),
    });
    const lastLines = keepLastLines([child.stdout, child.stderr]);
    const relay = new ProcessRelay(start, (message) => child.postMessage(message));
    child.on('message', (message: unknown) => {
      if (isRelayed(message)) relay.receive(message);
      else onMessage(message);
    });
    return {
      exited: exitOf(child, lastLines).finally(() => relay.dispose()),
      send: (message) => {
        if (child.pid !== undefined) child.postMessage(message);
      },
      kill: () => killHard(child),
    };
  };
  return start;
}

function exitOf(child: UtilityProcess, lastLines: readonly string[]): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once('exit', (code) =>
      setTimeout(() => resolve({ code, signal: null, lastLines }), drainMs),
    );
  });
}

/** Electron's own kill asks politely; a computation in native code does not hear that. */
function killHard(child: UtilityProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(child.pid, 'SIGKILL');
  } catch {
    child.kill();
  }
}

/** As task managers show it. */
function serviceName(entry: URL): string {
  if (entry.href === programEntries.job.href) return 'DeCon Studio Job';
  if (entry.href === programEntries.pictures.href) return 'DeCon Studio Pictures';
  return 'DeCon Studio Helper';
}
