import type { Machine } from '../sim/machine/machine.js';
import { toPerfetto } from '../sim/machine/perfetto.js';
import type { Recording } from '../sim/machine/timeline.js';
import { atomicWriteFile } from '../src/util/atomic-write.js';
import { path } from './groups.js';
import { openTimedMachine, type TimedChip } from './timed-machine.js';

/** Where a timeline goes. */
export const perfetto = path('write the timeline for ui.perfetto.dev');

/** What `--perfetto` wrote, beside the answer that was printed. */
export interface WrittenTimeline {
  readonly file: string;
  /** Length of the timeline. */
  readonly totalMs: number;
  /** What a slice is: a task of an operator, or a unit while an operator runs. */
  readonly slices: 'tasks' | 'operators';
}

/**
 * Does the same work again on a machine that keeps its timeline and writes it as a trace that ui.perfetto.dev and
 * chrome://tracing open. Answers never depend on whether a timeline is written.
 * @param file undefined writes none
 * @param record how much: a slice for each operator and unit, or for each task
 * @param work what the machine is to do
 */
export async function writeTimeline(
  file: string | undefined,
  chip: TimedChip,
  work: (machine: Machine) => void,
  record: Recording = 'op',
): Promise<WrittenTimeline | undefined> {
  if (file === undefined) return undefined;
  const machine = await openTimedMachine(chip, { record });
  work(machine);
  const timeline = machine.timeline();
  atomicWriteFile(file, `${JSON.stringify(toPerfetto(timeline))}\n`);
  return {
    file,
    totalMs: timeline.steps.at(-1)?.endMs ?? 0,
    slices: record === 'chunk' ? 'tasks' : 'operators',
  };
}
