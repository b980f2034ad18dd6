import type { StepTiming } from '../../src/decode/method/timer.js';
import { UsageError } from '../../src/errors.js';
import type { PassShape } from '../../src/pass/shape.js';
import { machine } from '../open-machine.js';
import type { Machine, MachineOptions } from './machine.js';

/** Smaller windows that are tried, as parts of the whole. */
export const PARTS = 16;

/** Gains below this share are not worth a word. */
export const NOTICEABLE = 1e-3;

/** A window that is smaller and does better. */
export interface SmallerWindow {
  readonly bytes: number;
  readonly ms: number;
}

/**
 * The best of the smaller windows in which the same step is faster, or null. Between two windows that are both too small
 * whole tensors are placed by a heuristic, so a larger one can do worse, as with page replacement: that is said, not
 * hidden. Looks at every sixteenth of the window; where nothing is mapped or staged there is nothing to gain.
 * @param timing of the second of two such steps on the machine
 */
export function fasterSmallerWindow(
  { options }: Machine,
  shape: PassShape,
  { startMs, endMs, counters }: StepTiming,
): SmallerWindow | null {
  const { mappedBytes = 0, stagedBytes = 0 } = counters;
  if (mappedBytes + stagedBytes === 0) return null;
  const tried = Array.from({ length: PARTS - 1 }, (_, at) => {
    const bytes = Math.floor((options.profile.window.bytes * (at + 1)) / PARTS);
    const ms = stepMs(options, bytes, shape);
    return ms === null ? [] : [{ bytes, ms }];
  });
  return fastest(tried.flat(), endMs - startMs);
}

/** The fastest of some windows, the smallest of equal ones; null where none is noticeably faster than `ms`. */
export function fastest(windows: readonly SmallerWindow[], ms: number): SmallerWindow | null {
  const [best] = [...windows].sort((a, b) => a.ms - b.ms || a.bytes - b.bytes);
  return best !== undefined && best.ms < ms * (1 - NOTICEABLE) ? best : null;
}

/** The second of two equal steps in a window, or null when it holds too little. */
function stepMs(options: MachineOptions, bytes: number, shape: PassShape): number | null {
  const { profile } = options;
  try {
    const smaller = machine({
      ...options,
      profile: { ...profile, window: { ...profile.window, bytes } },
      record: 'none',
    });
    smaller.timePass(shape);
    const { startMs, endMs } = smaller.timePass(shape);
    return endMs - startMs;
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}
