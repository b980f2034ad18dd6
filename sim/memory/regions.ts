import type { Op, OpGraph } from '../../src/model/graph.js';
import { activationsOf, type LiveRange } from './lifetimes.js';
import type { PlacedPass } from './runtime.js';
import { layoutScratch } from './scratch-layout.js';

/** What a memory runtime is built from. */
export interface MemoryContext {
  readonly window: {
    readonly bytes: number;
    readonly alignment: number;
    readonly mapperEntries: number;
    readonly maxMap: number;
  };
  readonly costs: MemoryCosts;
  readonly maxBufferBytes: number;
  readonly slotBytes: number;
  readonly kvGrowthTokens: number;
  readonly kvBytesPerToken: number;
  /** Longer prompts are processed in passes of this many rows: activations need not hold more. */
  readonly passRows: number;
  /** Weights that operators on the NPU read, in order of first use. */
  readonly weights: readonly LiveRange[];
  /**
   * Compute time on the NPU in ms of each operator of a representative pass, all layers and one row tile: C in
   * arXiv:2606.13740 section 3.4. Only placements that weigh compute ask for it.
   */
  readonly compute: () => readonly { readonly op: Op; readonly ms: number }[];
}

/** Driver and host costs. */
export interface MemoryCosts {
  readonly mapFixedMs: number;
  readonly mapMsPerByte: number;
  readonly maintenanceMsPerByte: number;
  readonly copyBytesPerMs: number;
}

/** Time of one unmap and map of `bytes`, in ms. */
export function mapMs(costs: MemoryCosts, bytes: number): number {
  return costs.mapFixedMs + costs.mapMsPerByte * bytes;
}

/** Time to copy `bytes` into a slot and flush them, in ms. */
export function copyMs(costs: MemoryCosts, bytes: number): number {
  return bytes / costs.copyBytesPerMs + bytes * costs.maintenanceMsPerByte;
}

/** KV cache and activations, sized for a number of positions, and for the rows of a pass. */
export interface Regions {
  readonly tokens: number;
  readonly rows: number;
  readonly kvBytes: number;
  readonly scratchBytes: number;
}

/** Rows that activations are laid out for: those of a pass over all positions, up to the longest pass of a prompt. */
export function scratchRows(rows: number, tokens: number, passRows: number): number {
  return Math.max(rows, Math.min(tokens, passRows));
}

/** Bytes of a compact layout of the activations that NPU operators of a pass touch. */
export function scratchBytes(graph: OpGraph, ops: readonly Op[]): number {
  return layoutScratch(activationsOf(graph, ops)).bytes;
}

/**
 * Regions that serve a pass and leave room to grow: the KV cache in steps of `kvGrowthTokens` positions, the
 * activations for a pass over as many rows, but not for more than a prompt is cut into.
 * @param current kept when it is large enough
 */
export function regionsFor(context: MemoryContext, pass: PlacedPass, current: Regions | null): Regions {
  const { rows, positions } = pass;
  const step = context.kvGrowthTokens;
  const wanted = Math.ceil(positions / step) * step;
  if (current !== null && current.tokens >= wanted && current.rows >= rows) return current;
  const tokens = Math.max(wanted, current?.tokens ?? 0);
  const most = scratchRows(rows, tokens, context.passRows);
  return {
    tokens,
    rows: most,
    kvBytes: tokens * context.kvBytesPerToken,
    scratchBytes: Math.ceil((pass.scratchBytes() / rows) * most),
  };
}
