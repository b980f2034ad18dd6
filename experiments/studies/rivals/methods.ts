import type { RawConfig } from '../../lab/expand.js';

/** Rows of a tile of the matrix unit (arXiv:2606.13740 §2.2): what a block of 8 leaves idle of it is what all compete for. */
export const TILE = 32;
export const BLOCK = 8;

/** Who uses the idle rows of a tile, or why it is not run here. */
export type Method = {
  readonly method: string;
  readonly source: string;
} /** Who decides it where nobody says: another model than the others', when the method takes one. */ & (
  | { readonly config: RawConfig; readonly decidedBy?: string }
  | { readonly why: string }
);

export const BASELINE = 'no use of idle rows';

const STREAMS =
  'no model with weights here is read as one that fills in masks left to right, so there are no decisions of one to time';

/** Every method that uses rows which the tile computes anyway, on blocks of 8 with a threshold of 0.9. */
const METHODS: readonly Method[] = [
  { method: BASELINE, source: 'threshold', config: { policy: 'threshold' } },
  {
    method: 'MBSD',
    source: 'arXiv:2606.13740 §3.2',
    config: {
      policy: 'mbsd',
      options: { 'window.size': TILE, 'window.lookahead': null, 'commit.kind': 'threshold' },
    },
  },
  {
    method: 'MBSD + STS',
    source: 'arXiv:2606.13740 §3.3',
    config: { policy: 'mbsd-sts', options: { 'window.size': TILE, 'window.lookahead': null } },
  },
  {
    method: 'exact speculation',
    source: 'this project',
    config: { policy: 'exact-speculation-threshold' },
  },
  {
    method: 'multi-block',
    source: 'd3LLM, SGLang pull 20615',
    config: {
      policy: 'multi-block',
      options: { 'window.kind': 'block', 'window.extent': 'suffix', 'cache.kind': 'prefix' },
    },
  },
  {
    method: 'linear self-speculation',
    source: 'Nemotron-Labs-Diffusion, arXiv:2607.05722',
    config: { policy: 'nemotron-self-speculation', blockLength: null },
    decidedBy: 'tiny-dual',
  },
  { method: 'streaming', source: 'WeDLM, arXiv:2512.22737', why: STREAMS },
  {
    method: 'look-ahead branches',
    source: 'LoPA, arXiv:2512.16229',
    why: 'the rule that keeps a branch was not found in a source that could be read',
  },
];

/** Methods of a study. @param workload asked for; null: each method is decided by its own model */
export function methodsFor(workload: string | null): readonly Method[] {
  return METHODS.map((each): Method => {
    if (workload === null || !('config' in each) || each.decidedBy === undefined) return each;
    const { method, source, decidedBy } = each;
    return { method, source, why: `decided by ${decidedBy}, and another workload was asked for` };
  });
}
