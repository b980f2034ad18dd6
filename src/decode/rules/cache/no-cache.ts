import type { Technique } from '../ladder.js';
import { overBaseline } from '../ladder.js';
import type { CacheRule } from '../rule.js';

/** What a cache does that does nothing: where the others begin. */
export const NO_CACHE: CacheRule = {
  prefill: false,
  causalPrefill: false,
  opensPredicted: false,
  keeps: () => [],
  settled: () => false,
  sealRows: () => [],
  reuses: () => false,
};

/** What every other cache is sold as. */
export const KV_REUSE: Technique = overBaseline('KV reuse', 'window', 'cache', 'blockOrigin');
