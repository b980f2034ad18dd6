import type { GatherRowsOp, Op, OpGraph, OpKind } from '../../model/graph.js';

/** What a ggml graph is written from. */
export type WrittenOps = Pick<OpGraph, 'ops' | 'shape' | 'logits' | 'freshKv'>;

/** Kinds whose every row depends on the same row of their inputs alone. */
const ROW_BY_ROW: ReadonlySet<OpKind> = new Set([
  'rmsnorm',
  'layernorm',
  'matmul',
  'swiglu',
  'gelu',
  'add',
  'moe',
]);

/**
 * The same pass with the rows that get logits taken out as early as possible: what lies behind the last attention then
 * computes no row that nobody reads. A pass of as many logits as rows stays as it is.
 */
export function takeRowsEarly({ ops, tensors, shape, logits, freshKv }: OpGraph): WrittenOps {
  const same = { ops, shape, logits, freshKv };
  const late = ops.find((op): op is GatherRowsOp => op.kind === 'gather-rows');
  if (late === undefined || late.rows === shape.rows) return same;
  const [from, indices] = late.inputs;
  const [to] = late.outputs;
  if (from === undefined || indices === undefined || to === undefined)
    throw new Error(`${late.id} gathers nothing`);
  const kept = new Set(freshKv.flatMap(({ k, v }) => [k, v]));
  const few = new Set([late.id]);
  for (const op of [...ops].reverse()) {
    const readers = op.outputs.flatMap((id) => tensors.get(id)?.consumers ?? []);
    const isRead = readers.length > 0 && readers.every((id) => few.has(id));
    if (ROW_BY_ROW.has(op.kind) && isRead && !op.outputs.some((id) => kept.has(id))) few.add(op.id);
  }
  if (few.size === 1) return same;
  const fewIds = new Set(ops.flatMap((op) => (few.has(op.id) ? op.outputs : [])));
  const gathered = new Set<string>();
  const moved: Op[] = [];
  for (const op of ops) {
    if (op.id === late.id) continue;
    if (!few.has(op.id)) {
      moved.push({ ...op, inputs: op.inputs.map((id) => (id === to ? from : id)) });
      continue;
    }
    const inputs = op.inputs.map((id) => {
      const [rows, width = 1] = tensors.get(id)?.shape ?? [];
      // A single row is added to every row.
      if (fewIds.has(id) || rows !== shape.rows) return id;
      const early = `${id}_rows`;
      if (!gathered.has(early)) {
        gathered.add(early);
        const wires = { id: early, layer: op.layer, inputs: [id, indices], outputs: [early] };
        moved.push({ ...late, ...wires, width, vectorElements: late.rows * width });
      }
      return early;
    });
    const share = late.rows / shape.rows;
    const work = { macs: op.macs * share, vectorElements: op.vectorElements * share };
    moved.push({ ...op, ...work, inputs, rows: late.rows } as Op);
  }
  return { ...same, ops: moved };
}
