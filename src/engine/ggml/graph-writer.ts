import type { Op } from '../../model/graph.js';
import type { Pointer } from './api.js';
import type { Constants } from './constants.js';
import { buildKernel, type KernelContext } from './kernels.js';
import type { Ggml } from './library.js';
import type { NativeSlots } from './native-slots.js';
import type { InputName } from './pass-values.js';
import type { WrittenOps } from './rows-early.js';
import type { NativeWeights } from './weights.js';

/** What the graphs of one engine share. */
export interface GraphParts {
  readonly ggml: Ggml;
  readonly weights: NativeWeights;
  readonly constants: Constants;
  readonly slots: NativeSlots;
  /** See {@link KernelContext}. */
  readonly byProducts: boolean;
}

/** An input: the tensor that its values are written to, and what operators see of it. */
interface Given {
  readonly tensor: Pointer;
  readonly seen: Pointer;
}

/** A graph before it has memory. */
export interface WrittenGraph {
  readonly context: Pointer;
  readonly graph: Pointer;
  /** Those that the graph has. */
  readonly inputs: ReadonlyMap<InputName, Given>;
  readonly logits: Pointer | null;
  /** Most nodes it has room for. */
  readonly room: number;
}

const F32_BYTES = 4;
/** ggml_type numbers. */
const [F16, I32, I64] = [1, 26, 27];
/** Bytes that the processor moves at once. */
const LINE = 64;
/** Tensors of an operator, views included. */
const TENSORS_PER_OP = 20;

/** Writes the operators of a pass as nodes. @param keys slots that attention sees */
export function writeGraph(parts: GraphParts, shape: WrittenOps, keys: number): WrittenGraph {
  const { api } = parts.ggml;
  const room = shape.ops.reduce((sum, op) => sum + tensorsOf(op), 64);
  const context = api.ggml_init({
    mem_size: room * api.ggml_tensor_overhead() + api.ggml_graph_overhead_custom(room, false),
    mem_buffer: null,
    no_alloc: true,
  });
  const graph = api.ggml_new_graph_custom(context, room, false);
  const values = new Map<string, Pointer>();
  const inputs = new Map<InputName, Given>();
  const value = (id: string): Pointer => {
    const tensor = values.get(id);
    if (tensor === undefined) throw new Error(`graph reads ${id} before it is written`);
    return tensor;
  };
  const { rows, logitsRows } = shape.shape;
  const matrix = (type: number, width: number, count: number): Given => {
    const tensor = api.ggml_new_tensor_2d(context, type, width, count);
    return { tensor, seen: tensor };
  };
  /**
   * In whole lines: ggml lays values one behind the other at multiples of 32 bytes, and where a short list of numbers put all
   * later ones half a line off, AMX wrote every sum into two lines (a prompt of 512: 1.2 times as long).
   */
  const list = (type: number, bytes: number, count: number): Given => {
    const tensor = api.ggml_new_tensor_1d(context, type, (Math.ceil((count * bytes) / LINE) * LINE) / bytes);
    return { tensor, seen: api.ggml_view_2d(context, tensor, count, 1, count * bytes, 0) };
  };
  const newInput: Readonly<Record<InputName, () => Given>> = {
    ids: () => list(I32, 4, rows),
    positions: () => list(I32, 4, rows),
    logitsRows: () => list(I32, 4, logitsRows),
    slots: () => list(I64, 8, rows),
    mask: () => matrix(F16, keys, rows),
  };
  const input = (name: InputName): Pointer => {
    let given = inputs.get(name);
    if (given === undefined) {
      given = newInput[name]();
      api.ggml_set_input(given.tensor);
      inputs.set(name, given);
    }
    return given.seen;
  };
  const stored = new Set<number>();
  const store = (layer: number) => {
    stored.add(layer);
    const fresh = shape.freshKv[layer];
    if (fresh === undefined) throw new Error(`layer ${layer} has no fresh K and V`);
    for (const part of ['k', 'v'] as const) {
      const target = parts.slots.tensor(layer, part);
      const written = api.ggml_set_rows(context, target, value(fresh[part]), input('slots'));
      api.ggml_build_forward_expand(graph, written);
    }
  };
  const kernels: KernelContext = {
    api,
    context,
    weights: parts.weights,
    constants: parts.constants,
    byProducts: parts.byProducts,
    value,
    input,
    cache: ({ layer, ...op }) => {
      if (layer === null) throw new Error(`${op.id} is in no layer`);
      store(layer);
      const view = (part: 'k' | 'v') => {
        const [head, slot] = [op.headDim * F32_BYTES, op.headDim * op.kvHeads * F32_BYTES];
        const tensor = parts.slots.tensor(layer, part);
        const byHead = api.ggml_view_3d(context, tensor, op.headDim, op.kvHeads, keys, head, slot, 0);
        return api.ggml_permute(context, byHead, 0, 2, 1, 3);
      };
      return { k: view('k'), v: view('v') };
    },
  };
  for (const op of shape.ops) {
    const output = buildKernel(op, kernels);
    const id = op.outputs[0];
    if (id === undefined) throw new Error(`${op.id} writes nothing`);
    api.ggml_set_name(output, op.id);
    values.set(id, output);
  }
  // A pass without logits ends at the last layer's K and V, which no attention reads.
  shape.freshKv.forEach((_, layer) => {
    if (!stored.has(layer)) store(layer);
  });
  const logits = shape.logits === null ? null : value(shape.logits);
  if (logits !== null) {
    api.ggml_set_output(logits);
    api.ggml_build_forward_expand(graph, logits);
  }
  return { context, graph, inputs, logits, room };
}

function tensorsOf(op: Op): number {
  if (op.kind !== 'moe') return TENSORS_PER_OP;
  return TENSORS_PER_OP + 2 * op.expertsPerToken + (op.grouped === undefined ? 0 : TENSORS_PER_OP);
}
