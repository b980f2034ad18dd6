import { loadavg } from 'node:os';
import { median } from '../../src/score/statistics/samples.js';
import { formatTable } from '../../src/util/table.js';
import { columns, THREADS } from '../ort/common.js';

/** Pairs of a measurement. */
export const ROUNDS = Number(process.env.DLLM_BENCH_ROUNDS ?? 5);

/** One thing done by both. */
export interface Pair {
  readonly name: string;
  readonly own: () => Promise<void>;
  readonly theirs: () => Promise<void>;
}

/**
 * Both by turns, `rounds` times: medians, and the median of the ratios of neighbours, which a machine that does other
 * things disturbs least. Who goes first changes.
 */
export async function pairTable(pairs: readonly Pair[], rounds = ROUNDS): Promise<string> {
  const before = loadavg()[0];
  const lines: string[][] = [];
  for (const { name, own, theirs } of pairs) {
    await own();
    await theirs();
    const times: [number, number][] = [];
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? [own, theirs] : [theirs, own];
      const taken = [await timed(order[0]), await timed(order[1])] as const;
      times.push(round % 2 === 0 ? [taken[0], taken[1]] : [taken[1], taken[0]]);
    }
    const ratios = times.map(([a, b]) => b / a);
    lines.push([
      name,
      milliseconds(times.map(([a]) => a)),
      milliseconds(times.map(([, b]) => b)),
      median(ratios).toFixed(2),
      `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`,
    ]);
  }
  const head = columns(['', 'ggml engine, ms', 'llama.cpp, ms', 'x llama.cpp', 'of single pairs']);
  return `${THREADS} threads, medians of ${rounds} pairs, load ${before.toFixed(1)} before and ${loadavg()[0].toFixed(1)} after\n${formatTable(head, lines)}`;
}

function milliseconds(values: readonly number[]): string {
  return median(values).toFixed(1);
}

async function timed(run: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}
