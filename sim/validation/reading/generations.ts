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

/** Build tags: b7588 is of January 2026 (arXiv 2605.27435), b9377 of May (llama.cpp issue 23816). */
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

/** The thread that was newest when a row was measured; null where nothing tells. */
export function threadOf(row: PublishedRow): number | null {
  const cited = /(?:ggml-org\/llama\.cpp\/(?:pull|issues|discussions)\/|llama\.cpp ?#)(\d+)/.exec(
    row.source,
  )?.[1];
  const engine = /#(\d{5})/.exec(row.engine)?.[1];
  if (cited !== undefined || engine !== undefined) return Number(cited ?? engine);
  const build = /\bb(\d{4,5})\b/.exec(`${row.engine} ${row.source}`)?.[1];
  if (build !== undefined) {
    const [[b0, t0], [b1, t1]] = BUILDS;
    return Math.round(t0 + ((Number(build) - b0) * (t1 - t0)) / (b1 - b0));
  }
  const date = dateOf(row);
  return date === null ? null : (THREADS.findLast(([month]) => month <= date)?.[1] ?? THREADS[0][1]);
}

/** The last thread before the pull request that gave the backend products on the matrix unit. */
const LAST_HVX_ONLY = 20_692;

/** The state of llama.cpp's Hexagon backend for a row, or all states where nothing tells which. */
export function hexagonStacks(row: PublishedRow): EngineReading {
  const thread = threadOf(row);
  const known = (newest: number): EngineReading => ({
    stacks: [stackAtThread(STACK, newest)],
    note: null,
    unfamiliar: false,
  });
  if (/hvx/i.test(row.engine)) return known(Math.min(thread ?? LAST_HVX_ONLY, LAST_HVX_ONLY));
  if (thread !== null) return known(thread);
  return {
    stacks: [STACK, ...[...stackGenerations(STACK)].reverse()],
    note: 'state of the backend not stated: that of today taken, all of them in the range',
    unfamiliar: false,
  };
}
