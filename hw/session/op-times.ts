import type { OpGraph } from '../../src/model/graph.js';
import type { NodeProfile } from '../qnn/profile.js';
import type { OpTime } from '../record/device-record.js';

/**
 * Times of a profile's nodes, summed by the operator of the graph they were made from: `blk.0.attn_norm.square` belongs
 * to `blk.0.attn_norm`, and so does `_blk_0_attn_norm_square`, as Qualcomm's converter writes it. What belongs to none (a shared table, the backend's own copies) keeps its name.
 */
export function opTimes(graph: OpGraph, nodes: readonly NodeProfile[]): OpTime[] {
  const ids = new Map(graph.ops.map(({ id }) => [plain(id), id]));
  const times = new Map<string, OpTime>();
  for (const { node, cycles, us } of nodes) {
    const op = operatorOf(ids, node);
    const known = times.get(op);
    times.set(op, { op, cycles: sum(known?.cycles, cycles), us: sum(known?.us, us) });
  }
  return [...times.values()];
}

/** A name as it is when nothing but letters, digits and underscores is allowed. */
function plain(name: string): string {
  return name.replace(/\W/g, '_').replace(/^_+/, '');
}

/** The longest operator id that the name continues with another part. */
function operatorOf(ids: ReadonlyMap<string, string>, node: string): string {
  // What a backend adds of its own carries the name of its source: `blk.0.attn_v/duplicated`.
  const [source = node] = node.split('/');
  // Only a converter's name has no dots; elsewhere `attn_x` is another name than `attn`.
  const between = source.includes('.') ? '.' : '_';
  for (let name = source; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf(between)))) {
    const found = ids.get(plain(name));
    if (found !== undefined && (between === '_' || found === name)) return found;
  }
  return node;
}

function sum(a: number | null | undefined, b: number | null): number | null {
  return b === null ? (a ?? null) : (a ?? 0) + b;
}
