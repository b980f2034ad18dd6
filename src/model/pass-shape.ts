import type { Pass } from '../decode/types.js';
import type { PassShape } from './graph.js';

/** Name of the one KV set a pass reads: everything cached before it. */
export const PREFIX_SET = 'prefix';

/** Whether some row does not see another, or what is cached: a lone causal row sees everything. */
export function hidesRows({ visibility, rows }: Pick<Pass, 'visibility' | 'rows'>): boolean {
  return !(visibility === 'all' || (visibility === 'causal' && rows.length === 1));
}

/**
 * What the operator graph depends on in a pass. A pass whose rows do not all see each other is `masked`: its visibility matrix
 * is an input, and the keys its rows cannot see are still computed.
 */
export function passShape(pass: Pass): PassShape {
  return {
    rows: pass.rows.length,
    kvSets: pass.reads.length > 0 ? [{ name: PREFIX_SET, length: pass.reads.length }] : [],
    logitsRows: pass.logits.length,
    masked: hidesRows(pass),
  };
}
