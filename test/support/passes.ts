import type { ModelConfig } from '../../src/model/config.js';
import type { Pass, PassRow } from '../../src/pass/pass.js';
import { Random } from '../../src/score/random.js';

/** A denoising pass without cache in which every row gets logits; `rest` replaces what is to be different. */
export function denoisePass(version: number, rows: readonly PassRow[], rest: Partial<Pass> = {}): Pass {
  return {
    id: `${version}.0`,
    kind: 'denoise',
    lane: 'main',
    version,
    rows,
    reads: [],
    visibility: 'all',
    logits: rows.map((_, row) => row),
    ...rest,
  };
}

/** Rows of a text from position 0. */
export function textRows(ids: readonly number[]): PassRow[] {
  return ids.map((feed, position) => ({ position, feed }));
}

/** Seeded rows of any tokens, one position after the other. */
export function randomRows(config: ModelConfig, count: number, seed: number, start = 0): PassRow[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, i) => ({
    position: start + i,
    feed: random.integer(0, config.vocab - 1),
  }));
}
