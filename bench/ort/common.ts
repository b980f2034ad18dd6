import { rmSync } from 'node:fs';
import type { Pass } from '../../src/pass/pass.js';
import { temporaryDirectory } from '../../test/support/temporary-directory.js';

/** Threads of every engine; DLLM_BENCH_THREADS sets another number. */
export const THREADS = Number(process.env.DLLM_BENCH_THREADS ?? 2);

/** Removed when the process ends. */
export const directory = temporaryDirectory();
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

let version = 0;

/** A denoising pass over positions 0, 1, ... without cache, logits for its first `logits` rows. */
export function denoise(rows: number, logits: number, vocab: number): Pass {
  version++;
  return {
    id: `${version}.0`,
    kind: 'denoise',
    lane: 'main',
    version,
    reads: [],
    visibility: 'all',
    rows: Array.from({ length: rows }, (_, i) => ({ position: i, feed: (7919 * i) % vocab })),
    logits: Array.from({ length: logits }, (_, i) => i),
  };
}

/** The best of several rounds: what else the machine does only ever makes a round slower. */
export const best = (values: readonly number[] = []) => Math.min(...values);

export const columns = (headers: readonly string[]) =>
  headers.map((header, index) => ({
    header: [header],
    align: index === 0 ? ('left' as const) : ('right' as const),
  }));

export interface Agreement {
  /** Largest absolute difference of a logit. */
  readonly worst: number;
  /** Rows whose best token is the same. */
  readonly same: number;
  readonly rows: number;
}

export function agreement(a: Float32Array, b: Float32Array, vocab: number): Agreement {
  let [worst, same] = [0, 0];
  const rows = a.length / vocab;
  for (let row = 0; row < rows; row++) {
    let [bestA, bestB] = [row * vocab, row * vocab];
    for (let i = row * vocab; i < (row + 1) * vocab; i++) {
      worst = Math.max(worst, Math.abs(a[i] - b[i]));
      if (a[i] > a[bestA]) bestA = i;
      if (b[i] > b[bestB]) bestB = i;
    }
    same += bestA === bestB ? 1 : 0;
  }
  return { worst, same, rows };
}
