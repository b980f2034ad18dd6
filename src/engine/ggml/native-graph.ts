import { EnvironmentError, UsageError } from '../../errors.js';
import type { OperatorTime } from '../engine.js';
import type { Pointer } from './api.js';
import type { Backend } from './backend.js';
import { type GraphParts, type WrittenGraph, writeGraph } from './graph-writer.js';
import { timeNodes } from './operator-times.js';
import type { PassValues } from './pass-values.js';
import type { WrittenOps } from './rows-early.js';

/** Where the nodes of a graph ran. */
export interface Placement {
  readonly nodes: number;
  /** Nodes that the device does not compute and that ran on the CPU, counted by the name of their operator. */
  readonly onCpu: Readonly<Record<string, number>>;
}

/** enum ggml_status (ggml.h). */
const STATUS: Readonly<Record<number, string>> = {
  [-2]: 'it ran out of memory',
  [-1]: 'it failed; the device may be lost',
  1: 'it was aborted',
};

/** A pass's operators as a ggml graph of fixed shape, with memory of its own: run with the values of any such pass. */
export class NativeGraph {
  private readonly written: WrittenGraph;
  private readonly memory: Memory;
  readonly placement: Placement;
  /** Multiply-accumulates of a run. */
  readonly macs: number;

  /**
   * @param keys slots that attention sees
   * @throws EnvironmentError when the device has no room for its values
   */
  constructor(
    private readonly parts: GraphParts,
    private readonly backend: Backend,
    shape: WrittenOps,
    readonly keys: number,
  ) {
    this.macs = shape.ops.reduce((sum, op) => sum + op.macs, 1);
    this.written = writeGraph(parts, shape, keys);
    this.memory = backend.cpu === null ? this.ownMemory() : this.sharedMemory(backend.cpu);
    this.placement = this.memory.placement;
  }

  /** Bytes of its intermediate values. */
  get bytes(): number {
    return this.memory.bytes;
  }

  /**
   * Runs it once.
   * @param logits filled with [logits rows, vocab]
   * @throws EnvironmentError when the device fails
   */
  run(values: PassValues, logits: Float32Array): void {
    const { api } = this.parts.ggml;
    this.setInputs(values);
    const status = this.memory.compute();
    if (status !== 0) {
      throw new EnvironmentError(
        `engine ggml: a pass on ${this.backend.device.name} did not end: ${STATUS[status] ?? `status ${status}`}; try again, or use --device cpu`,
      );
    }
    if (this.written.logits !== null)
      api.ggml_backend_tensor_get(this.written.logits, logits, 0, logits.byteLength);
  }

  /** Times its nodes one by one. @throws UsageError on a device beside the CPU */
  operatorTimes(values: PassValues, repetitions: number): OperatorTime[] {
    const { ggml } = this.parts;
    if (this.backend.cpu !== null)
      throw new UsageError(
        `operators are timed one by one on the CPU alone: on ${this.backend.device.name} they are queued`,
      );
    const compute = (graph: Pointer) => {
      ggml.api.ggml_backend_graph_compute(this.backend.pointer, graph);
    };
    // Inputs lie where later values go: they are set for every round.
    const prepare = () => this.setInputs(values);
    return timeNodes(ggml, this.written.graph, { prepare, compute }, repetitions);
  }

  private setInputs(values: PassValues): void {
    for (const [name, { tensor }] of this.written.inputs) {
      const given = values[name];
      this.parts.ggml.api.ggml_backend_tensor_set(tensor, given, 0, given.byteLength);
    }
  }

  free(): void {
    this.memory.free();
    this.parts.ggml.api.ggml_free(this.written.context);
  }

  private ownMemory(): Memory {
    const { api } = this.parts.ggml;
    const { graph } = this.written;
    const allocator = api.ggml_gallocr_new(this.backend.bufferType);
    if (!api.ggml_gallocr_alloc_graph(allocator, graph)) {
      api.ggml_gallocr_free(allocator);
      throw this.noRoom();
    }
    return {
      bytes: api.ggml_gallocr_get_buffer_size(allocator, 0),
      placement: { nodes: api.ggml_graph_n_nodes(graph), onCpu: {} },
      compute: () => api.ggml_backend_graph_compute(this.backend.pointer, graph),
      free: () => api.ggml_gallocr_free(allocator),
    };
  }

  /** A scheduler gives every node to the device that computes it. The last of the list is the CPU. */
  private sharedMemory(cpu: Pointer): Memory {
    const { api } = this.parts.ggml;
    const { graph, room } = this.written;
    const backends = BigUint64Array.of(this.backend.pointer, cpu);
    const scheduler = api.ggml_backend_sched_new(backends, null, backends.length, room, false, false);
    if (!api.ggml_backend_sched_alloc_graph(scheduler, graph)) {
      api.ggml_backend_sched_free(scheduler);
      throw this.noRoom();
    }
    const nodes = Array.from({ length: api.ggml_graph_n_nodes(graph) }, (_, i) =>
      api.ggml_graph_node(graph, i),
    );
    const onCpu: Record<string, number> = {};
    for (const node of nodes) {
      if (api.ggml_backend_sched_get_tensor_backend(scheduler, node) !== cpu) continue;
      const name = api.ggml_op_desc(node);
      onCpu[name] = (onCpu[name] ?? 0) + 1;
    }
    return {
      bytes: api.ggml_backend_sched_get_buffer_size(scheduler, this.backend.pointer),
      placement: { nodes: nodes.length, onCpu },
      compute: () => api.ggml_backend_sched_graph_compute(scheduler, graph),
      free: () => api.ggml_backend_sched_free(scheduler),
    };
  }

  private noRoom(): EnvironmentError {
    this.parts.ggml.api.ggml_free(this.written.context);
    return new EnvironmentError(
      `engine ggml: ${this.backend.device.name} has no room for the values of a pass; take fewer rows, or use --device cpu`,
    );
  }
}

interface Memory {
  readonly bytes: number;
  readonly placement: Placement;
  compute(): number;
  free(): void;
}
