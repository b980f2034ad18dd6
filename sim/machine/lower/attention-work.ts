/** Attention, whatever graph it belongs to. */
export interface AttentionWork {
  readonly owner: string;
  readonly rows: number;
  readonly keys: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** DRAM bytes of an element of the queries, of the result, and of cached keys and values. */
  readonly inputBytes: number;
  readonly outputBytes: number;
  readonly kvBytes: number;
  /** Whether the write of new keys and values counts as part of it. */
  readonly writesCache: boolean;
}
