import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

const NAME = /^run-([0-9a-f]{8})-(\d+)-[0-9a-f]{12}$/;

/** This machine, as the names of work directories have it: one phone may serve several. */
function host(): string {
  return createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
}

/** Name of a work directory that tells which process made it. */
export function workName(pid = process.pid): string {
  return `run-${host()}-${pid}-${randomBytes(6).toString('hex')}`;
}

/** Names of work directories that processes of this machine left behind: they ended while the phone was away. */
export function leftBehind(names: readonly string[]): string[] {
  return names.filter((name) => {
    const [, machine, pid] = NAME.exec(name) ?? [];
    return machine === host() && !alive(Number(pid));
  });
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of somebody else is alive all the same.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
