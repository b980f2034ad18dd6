import type { OperatorTime } from '../engine.js';
import type { Pointer } from './api.js';
import type { Ggml } from './library.js';

/** Nodes that only look at memory in another way. */
const LOOKS: ReadonlySet<string> = new Set(['NONE', 'RESHAPE', 'VIEW', 'PERMUTE', 'TRANSPOSE']);

/**
 * Runs the nodes of a graph one by one, in order, as often as asked, and adds up their times by operator. What ggml fuses
 * (a norm with its gain) is then computed apart, and every node costs a call of its own: about a microsecond.
 * @param run `prepare` before every round, `compute` for every node's graph
 */
export function timeNodes(
  { api }: Ggml,
  graph: Pointer,
  run: { readonly prepare: () => void; readonly compute: (graph: Pointer) => void },
  repetitions: number,
): OperatorTime[] {
  const nodes = Array.from({ length: api.ggml_graph_n_nodes(graph) }, (_, i) =>
    api.ggml_graph_node(graph, i),
  );
  const working = nodes.filter((node) => !LOOKS.has(api.ggml_op_desc(node)));
  const context = api.ggml_init({
    mem_size: working.length * (api.ggml_graph_overhead_custom(1, false) + api.ggml_tensor_overhead()),
    mem_buffer: null,
    no_alloc: true,
  });
  try {
    const singles = working.map((node) => {
      const single = api.ggml_new_graph_custom(context, 1, false);
      api.ggml_graph_add_node(single, node);
      return { label: labelOf(api.ggml_get_name(node), api.ggml_op_desc(node)), single };
    });
    const found = new Map<string, { count: number; ms: number[] }>();
    for (const { label } of singles) {
      const { count, ms } = found.get(label) ?? { count: 0, ms: Array<number>(repetitions).fill(0) };
      found.set(label, { count: count + 1, ms });
    }
    for (let round = 0; round < repetitions; round++) {
      run.prepare();
      for (const { label, single } of singles) {
        const began = performance.now();
        run.compute(single);
        found.get(label)!.ms[round] += performance.now() - began;
      }
    }
    return [...found].map(([operator, { count, ms }]) => ({ operator, count, samplesMs: ms }));
  } finally {
    api.ggml_free(context);
  }
}

/** `blk.3.attn_q` is attn_q of every layer; what nobody named is called by its kind. */
function labelOf(name: string, kind: string): string {
  const plain = name.replace(/^blk\.\d+\./, '').replace(/ *\(.*$/, '');
  return plain === '' || /^(node|leaf)_/.test(plain) ? kind.toLowerCase() : plain;
}
