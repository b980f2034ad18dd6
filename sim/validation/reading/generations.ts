import { stackAtThread, stackGenerations } from '../../stacks/registry.js';
import type { PublishedRow } from '../published.js';

/** Software a row may be of, the one that is taken first. */
export interface EngineReading {
  readonly stacks: readonly string[];
  readonly note: string | null;
  /** The engine is known only by its kind: its kernels may differ from those that are timed. */
  readonly unfamiliar: boolean;
}

const STACK = 'llama.cpp-hexagon';

/** llama.cpp's thread numbers by month, estimated: off by weeks perhaps; between them a line. */
const THREADS: readonly (readonly [month: string, thread: number])[] = [
  ['2025-10', 16_500],
  ['2026-01', 18_500],
  ['2026-03', 20_000],
  ['2026-05', 23_000],
  ['2026-07', 25_500],
  ['2026-09', 28_500],
];

/** Build tags, the same: b7588 is of January 2026 (arXiv 2605.27435), b9377 of May (llama.cpp issue 23816). */
const BUILDS: readonly (readonly [build: number, thread: number])[] = [
  [7588, 18_500],
  [9377, 23_816],
];

/** Year and month of what a row measured, from its own words or its source: `2026-02`; null where nothing tells. */
export function dateOf({ engine, source }: PublishedRow): string | null {
  const said = /\b(20\d\d-(?:0[1-9]|1[0-2]))(?:-\d\d)?\b/.exec(`${engine} ${source}`)?.[1];
  if (said !== undefined) return said;
  const paper = /arXiv[: ]*(\d\d)(0[1-9]|1[0-2])\.\d{4,5}/i.exec(source);
  return paper === null ? null : `20${paper[1]}-${paper[2]}`;
}

/** A thread of llama.cpp as a row's date. */
interface Thread {
  readonly number: number;
  /** How it was found where the row names no thread: an estimate, and the least and most it may be. */
  readonly estimate: { readonly words: string; readonly range: readonly [number, number] } | null;
}

/** Threads that a month is off by, perhaps: the table is an estimate, and a paper is of an older build than its own date. */
const MONTH_OFF = [2500, 1000] as const;
/** The same of a build tag between two whose months are known. */
const BUILD_OFF = [1000, 1000] as const;

/** The thread that was newest when a row was measured; null where nothing tells. */
export function threadOf(row: PublishedRow): Thread | null {
  const cited = /(?:ggml-org\/llama\.cpp\/(?:pull|issues|discussions)\/|llama\.cpp ?#)(\d+)/.exec(
    row.source,
  )?.[1];
  const engine = /#(\d{5})/.exec(row.engine)?.[1];
  if (cited !== undefined || engine !== undefined) return { number: Number(cited ?? engine), estimate: null };
  const estimated = (number: number, [before, after]: readonly [number, number], words: string): Thread => ({
    number,
    estimate: { words, range: [number - before, number + after] },
  });
  const build = /\bb(\d{4,5})\b/.exec(`${row.engine} ${row.source}`)?.[1];
  if (build !== undefined) {
    const [[b0, t0], [b1, t1]] = BUILDS;
    const number = Math.round(t0 + ((Number(build) - b0) * (t1 - t0)) / (b1 - b0));
    return estimated(number, BUILD_OFF, `build b${build} taken as thread ${number}`);
  }
  const date = dateOf(row);
  if (date === null) return null;
  const number = THREADS.findLast(([month]) => month <= date)?.[1] ?? THREADS[0][1];
  return estimated(number, MONTH_OFF, `${date} taken as thread ${number}`);
}

/** The last thread before the pull request that gave the backend products on the matrix unit. */
const LAST_HVX_ONLY = 20_692;

/** The state of llama.cpp's Hexagon backend for a row, or all states that it may be where nothing tells which. */
export function hexagonStacks(row: PublishedRow): EngineReading {
  const thread = threadOf(row);
  const hvxOnly = /hvx/i.test(row.engine);
  const state = (number: number): string =>
    stackAtThread(STACK, hvxOnly ? Math.min(number, LAST_HVX_ONLY) : number);
  if (thread === null && !hvxOnly)
    return {
      stacks: [STACK, ...[...stackGenerations(STACK)].reverse()],
      note: 'state of the backend not stated: that of today taken, all of them in the range',
      unfamiliar: false,
    };
  const { number, estimate } = thread ?? { number: LAST_HVX_ONLY, estimate: null };
  if (estimate === null) return { stacks: [state(number)], note: null, unfamiliar: false };
  const [least, most] = estimate.range;
  return {
    // The taken one first, and as often as its neighbours: each is as likely.
    stacks: [...new Set([state(number), state(least), state(most)])],
    note: `${estimate.words}: an estimate; the states of threads ${least} to ${most} are in the range`,
    unfamiliar: false,
  };
}
