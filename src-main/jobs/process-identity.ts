import { readFileSync } from 'node:fs';

/** A process for the database: its number, and when it began, because numbers are used again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Empty where the system does not tell. */
  readonly pidStarted: string;
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, pidStarted: startOf(process.pid) ?? '' };
}

/** Whether that very process still exists. */
export function isAlive(identity: ProcessIdentity): boolean {
  try {
    process.kill(identity.pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to someone else.
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return false;
  }
  const started = startOf(identity.pid);
  return started === undefined || identity.pidStarted === '' || started === identity.pidStarted;
}

/** Boot and start time on Linux (man 5 proc, field 22 of stat); elsewhere unknown. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '';
    const fields = afterName.split(' ');
    const isZombie = fields[0] === 'Z';
    return isZombie ? 'ended' : `${bootId()}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
