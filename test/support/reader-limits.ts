import { getHeapStatistics } from 'node:v8';
import { expect } from 'vitest';
import { DllmError } from '../../src/errors.js';

/** Whether this is `npm run fuzz`. */
export const FUZZ = process.env.DLLM_FUZZ_RUNS !== undefined;

/**
 * What a reader may take for one input: processor time, which other programs do not lengthen, and memory beyond what was there before,
 * of the heap with its array buffers or of the process at its highest. Both are held against it while fuzzing only.
 */
const LIMITS = { ms: 1000, megabytes: 200 };

interface Tally {
  draws: number;
  refused: number;
  slowestMs: number;
  mostMegabytes: number;
}
const tallies = new Map<string, Tally>();

/** Memory in MB: what is held now, and the highest that the process ever was. */
function memory(): { readonly held: number; readonly peak: number } {
  const { used_heap_size, external_memory } = getHeapStatistics();
  return {
    held: (used_heap_size + external_memory) / 2 ** 20,
    peak: process.resourceUsage().maxRSS / 2 ** 10,
  };
}

/**
 * One input is read, or refused with an error of this project that has a message; never anything else, and in bounds.
 * @param named what the message of a refusal has to hold, e.g. the path
 */
export async function readsOrRefuses(reader: string, read: () => unknown, named = ''): Promise<void> {
  const tally = tallies.get(reader) ?? { draws: 0, refused: 0, slowestMs: 0, mostMegabytes: 0 };
  tallies.set(reader, tally);
  const before = memory();
  const startedAt = process.cpuUsage();
  try {
    await read();
  } catch (error) {
    tally.refused++;
    expect(error).toBeInstanceOf(DllmError);
    const { message } = error as DllmError;
    expect(message).not.toBe('');
    expect(message).toContain(named);
  }
  const { user, system } = process.cpuUsage(startedAt);
  const after = memory();
  const ms = (user + system) / 1000;
  const megabytes = Math.max(after.held - before.held, after.peak - before.peak);
  tally.draws++;
  tally.slowestMs = Math.max(tally.slowestMs, ms);
  tally.mostMegabytes = Math.max(tally.mostMegabytes, megabytes);
  if (!FUZZ) return;
  expect(ms, `${reader} takes ${ms} ms`).toBeLessThan(LIMITS.ms);
  expect(megabytes, `${reader} takes ${megabytes} MB`).toBeLessThan(LIMITS.megabytes);
}

/** Prints what was tried, while fuzzing. */
export function reportDraws(): void {
  if (!FUZZ) return;
  const lines = [...tallies].map(
    ([reader, { draws, refused, slowestMs, mostMegabytes }]) =>
      `READER ${reader}: ${draws} inputs, ${draws - refused} read, ${refused} refused, at most ${slowestMs.toFixed(0)} ms and ${mostMegabytes.toFixed(0)} MB`,
  );
  console.log(lines.join('\n'));
}
