import type { SmallerWindow } from '../sim/machine/smaller-window.js';

const MIB = 2 ** 20;

/** Says that less would be more. */
export function smallerWindowNote(what: string, ms: number, { bytes, ms: other }: SmallerWindow): string {
  return (
    `note: ${what} would take ${other.toFixed(1)} instead of ${ms.toFixed(1)} ms in an address window of ` +
    `${(bytes / MIB).toFixed(0)} MiB: whole tensors leave gaps in both, and they happen to be smaller there`
  );
}
