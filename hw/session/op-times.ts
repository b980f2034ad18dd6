import type { OpGraph } from '../../src/model/graph.js';
import type { NodeProfile } from '../qnn/profile.js';
import type { OpTime } from '../record/run-record.js';

/**
 * Times of a profile's nodes, summed by the operator of the graph they were made from: `blk.0.attn_norm.square` belongs
 * to `blk.0.attn_norm`. What belongs to none (a shared table, the backend's own copies) keeps its name.
 */
export function opTimes(graph: OpGraph, nodes: readonly NodeProfile[]): OpTime[] {
  const ids = new Set(graph.ops.map(({ id }) => id));
  const times = new Map<string, OpTime>();
  for (const { node, cycles, us } of nodes) {
    const op = operatorOf(ids, node);
    const known = times.get(op);
    times.set(op, { op, cycles: sum(known?.cycles, cycles), us: sum(known?.us, us) });
  }
  return [...times.values()];
}

/** The longest operator id that the name continues with a dot. */
function operatorOf(ids: ReadonlySet<string>, node: string): string {
  // What a backend adds of its own carries the name of its source: `blk.0.attn_v/duplicated`.
  const [source = node] = node.split('/');
  for (let name = source; name !== ''; name = name.slice(0, Math.max(0, name.lastIndexOf('.')))) {
    if (ids.has(name)) return name;
  }
  return node;
}

function sum(a: number | null | undefined, b: number | null): number | null {
  return b === null ? (a ?? null) : (a ?? 0) + b;
}
