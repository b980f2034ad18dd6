import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What a pretended phone answers; everything else it runs is real. */
export interface Pretence {
  readonly machine?: string;
  readonly socModel?: string;
  readonly socId?: string;
  /** Kilobytes that `df` says are free; `df` fails on 0. */
  readonly freeKilobytes?: number;
  /** Bytes that `cat` copies before the file system is full. */
  readonly catFillsAfter?: number;
  /** Whether `cat` gives other bytes than it gets. */
  readonly catDamages?: boolean;
  /** Whether `mv` takes a second to come back when it has moved a file, the first time. */
  readonly mvThenWaits?: boolean;
}

/** Puts programs in front of the path of a loopback device, so that it says it is somebody else. @returns its environment */
export function pretend(directory: string, pretence: Pretence): Record<string, string> {
  mkdirSync(directory, { recursive: true });
  const { machine, socModel, socId, freeKilobytes, catFillsAfter, catDamages, mvThenWaits } = pretence;
  const program = (name: string, body: string) => {
    writeFileSync(join(directory, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(directory, name), 0o755);
  };
  if (machine !== undefined) {
    program('uname', `[ "$1" = -m ] && echo ${machine} || exec /bin/uname "$@"`);
  }
  program('getprop', `case "$1" in ro.soc.model) echo ${socModel ?? ''};; *) echo;; esac`);
  const full =
    catFillsAfter === undefined
      ? ''
      : `[ $# = 0 ] && { head -c ${catFillsAfter}; exec /bin/cat > /dev/full; }`;
  const damage = catDamages === true ? '[ $# = 0 ] && exec tr "\\000-\\377" x' : '';
  program(
    'cat',
    `[ "$1" = /sys/devices/soc0/soc_id ] && { echo ${socId ?? ''}; exit; }\n[ "$1" = /sys/devices/soc0/machine ] && exit 1\n${full}\n${damage}\nexec /bin/cat "$@"`,
  );
  if (mvThenWaits === true) {
    const once = join(directory, 'moved');
    program('mv', `/bin/mv "$@" && [ ! -e '${once}' ] && : > '${once}' && sleep 1`);
  }
  if (freeKilobytes !== undefined) {
    const line = `echo "f 9 9 ${freeKilobytes} 9% /"`;
    program(
      'df',
      freeKilobytes === 0
        ? 'exit 1'
        : `echo "Filesystem 1024-blocks Used Available Capacity Mounted"\n${line}`,
    );
  }
  return { PATH: `${directory}${delimiter}${process.env.PATH}` };
}
