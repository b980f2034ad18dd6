import type { Pass } from './pass.js';

/** Cached positions that a pass reads. */
export interface KvSetShape {
  /** e.g. `prefix`. */
  readonly name: string;
  /** Cached positions in the set; 0 is allowed (the set is then absent from the inputs). */
  readonly length: number;
}

/** The shape of one forward pass: all that the graph depends on besides the model. */
export interface PassShape {
  /** Rows that are computed. */
  readonly rows: number;
  /** Sets of cached positions that the rows read. */
  readonly kvSets: readonly KvSetShape[];
  /** Rows that get logits; 0 means no head at all (prefill, seal). */
  readonly logitsRows: number;
  /** Rows whose logits somebody reads, when fewer than have them: a compiled prompt pass gives logits for all. */
  readonly sampledRows?: number;
  /** True when rows do not all see all keys: a visibility matrix is then an input. */
  readonly masked: boolean;
  /** The model's adapter for drafts is computed, where it has one. */
  readonly adapter?: true;
}

/** Name of the one KV set a pass reads: everything cached before it. */
export const PREFIX_SET = 'prefix';

/** Whether some row does not see another, or what is cached: a lone causal row sees everything. */
export function hidesRows({ visibility, rows }: Pick<Pass, 'visibility' | 'rows'>): boolean {
  const lone = (visibility === 'causal' || visibility === 'ordered') && rows.length === 1;
  return visibility !== 'all' && !lone;
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
    adapter: pass.adapter,
  };
}
