import { availableParallelism } from 'node:os';
import { UsageError } from '../../errors.js';
import type { ModelConfig } from '../../model/config.js';
import { graphFor, shapeKey } from '../../model/graph-cache.js';
import { precisionFor } from '../../model/precision.js';
import type { WeightSource } from '../../model/weights.js';
import type { KvRef, Pass } from '../../pass/pass.js';
import { passShape } from '../../pass/shape.js';
import type { Engine, OperatorTime, PassResult, RanOn } from '../engine.js';
import { KvArena } from './arena.js';
import { type Backend, openBackend } from './backend.js';
import { makeConstants } from './constants.js';
import type { GraphParts } from './graph-writer.js';
import { loadGgml } from './library.js';
import { NativeGraph } from './native-graph.js';
import { NativeSlots, SLOT_STEP } from './native-slots.js';
import { passValues } from './pass-values.js';
import { takeRowsEarly } from './rows-early.js';
import { loadNativeWeights, type WeightHooks } from './weights.js';

export interface GgmlEngineOptions extends WeightHooks {
  /** By ggml's name. Default `cpu`. */
  readonly device?: string;
  /** Threads of the CPU. Default: as many as the process may use, fewer for a pass too small to be shared. */
  readonly threads?: number;
}

const F32 = precisionFor('f32');
/** Graphs kept, and bytes of their intermediate values. */
const MAX_GRAPHS = 48;
const MAX_GRAPH_BYTES = 256e6;
/** About a millisecond of one core. */
const MACS_PER_THREAD = 32e6;

/**
 * The operator graph on ggml's kernels: weights as their file stores them, on any device that the installed ggml has.
 * @throws EnvironmentError when ggml is not installed, another version, or without the device; DataError for damaged weights
 */
export async function createGgmlEngine(
  config: ModelConfig,
  weights: WeightSource,
  options: GgmlEngineOptions = {},
): Promise<Engine> {
  const ggml = loadGgml();
  const backend = openBackend(ggml, options.device ?? 'cpu');
  try {
    const loaded = await loadNativeWeights(ggml, backend, config, weights, options);
    try {
      return new GgmlEngine(
        config,
        backend,
        {
          ggml,
          weights: loaded,
          constants: makeConstants(ggml, backend, config),
          byProducts: backend.cpu === null,
        },
        options.threads,
      );
    } catch (error) {
      loaded.free();
      throw error;
    }
  } catch (error) {
    backend.free();
    throw error;
  }
}

/**
 * Threads wait for each other after every operator, which costs more than it brings where there is little to share.
 * How many there are changes no bit.
 */
function threadsFor(macs: number): number {
  return Math.min(availableParallelism(), Math.ceil(macs / MACS_PER_THREAD));
}

class GgmlEngine implements Engine {
  readonly name: string;
  private readonly slots: NativeSlots;
  private readonly kv: KvArena;
  private readonly parts: GraphParts;
  /** By shape, the longest unused first. */
  private readonly graphs = new Map<string, NativeGraph>();
  private readonly onCpu: Record<string, number> = {};
  private operators = 0;
  private usedThreads = 0;
  /** Of the last pass. 16 MB of new memory for 32 rows of LLaDA's vocabulary cost more than copying into them. */
  private logits = new Float32Array(0);
  private disposed = false;

  constructor(
    readonly config: ModelConfig,
    private readonly backend: Backend,
    parts: Omit<GraphParts, 'slots'>,
    private readonly threads: number | undefined,
  ) {
    this.name = `ggml-${backend.device.name}`;
    this.slots = new NativeSlots(parts.ggml, backend, config, () => this.freeGraphs());
    this.parts = { ...parts, slots: this.slots };
    this.kv = new KvArena(this.slots);
  }

  async run(pass: Pass): Promise<PassResult> {
    if (this.disposed) throw new UsageError(`engine ${this.name} was disposed`);
    this.check(pass);
    const first = this.kv.place(pass);
    const graph = this.graphOf(pass);
    this.chooseThreads(graph);
    const logits = this.roomFor(pass.logits.length * this.config.vocab);
    graph.run(passValues(pass, first, graph.keys), logits);
    this.kv.commit(pass);
    this.count(graph);
    return { logits };
  }

  async operatorTimes(pass: Pass, repetitions: number): Promise<readonly OperatorTime[]> {
    if (this.disposed) throw new UsageError(`engine ${this.name} was disposed`);
    this.check(pass);
    const first = this.kv.place(pass);
    const graph = this.graphOf(pass);
    this.chooseThreads(graph);
    const values = passValues(pass, first, graph.keys);
    return graph.operatorTimes(values, repetitions);
  }

  retain(live: readonly KvRef[]): void {
    this.kv.retain(live);
  }

  readKv(ref: KvRef): { readonly k: readonly Float32Array[]; readonly v: readonly Float32Array[] } {
    if (this.disposed) throw new UsageError(`engine ${this.name} was disposed`);
    const { layers, kvHeads, headDim } = this.config;
    const width = kvHeads * headDim;
    const values = this.kv.read(ref);
    const part = (index: number) => values.slice(index * width, (index + 1) * width);
    return {
      k: Array.from({ length: layers }, (_, layer) => part(2 * layer)),
      v: Array.from({ length: layers }, (_, layer) => part(2 * layer + 1)),
    };
  }

  lastThreads(): number {
    return this.usedThreads;
  }

  ranOn(): RanOn {
    return { device: this.backend.device.name, operators: this.operators, onCpu: { ...this.onCpu } };
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.freeGraphs();
    this.slots.free();
    this.parts.constants.free();
    this.parts.weights.free();
    this.backend.free();
  }

  private roomFor(values: number): Float32Array {
    if (this.logits.length < values) this.logits = new Float32Array(values);
    return this.logits.subarray(0, values);
  }

  private chooseThreads({ macs }: NativeGraph): void {
    this.usedThreads = this.threads ?? threadsFor(macs);
    this.backend.useThreads(this.usedThreads);
  }

  private count({ placement }: NativeGraph): void {
    this.operators += placement.nodes;
    for (const [name, nodes] of Object.entries(placement.onCpu))
      this.onCpu[name] = (this.onCpu[name] ?? 0) + nodes;
  }

  private graphOf(pass: Pass): NativeGraph {
    const keys = Math.ceil((pass.reads.length + pass.rows.length) / SLOT_STEP) * SLOT_STEP;
    const { masked: _, kvSets: __, ...shape } = passShape(pass);
    // What is cached and who sees whom are in the mask: only the number of keys makes another graph.
    const open = { ...shape, kvSets: [], masked: false };
    const key = `${shapeKey(open)}|${keys}`;
    const known = this.graphs.get(key);
    if (known !== undefined) {
      this.graphs.delete(key);
      this.graphs.set(key, known);
      return known;
    }
    const ops = takeRowsEarly(graphFor(this.config, open, F32));
    const graph = new NativeGraph(this.parts, this.backend, ops, keys);
    this.graphs.set(key, graph);
    this.limitGraphs(graph);
    return graph;
  }

  private limitGraphs(newest: NativeGraph): void {
    const bytes = () => [...this.graphs.values()].reduce((sum, graph) => sum + graph.bytes, 0);
    for (const [key, graph] of this.graphs) {
      if (graph === newest || (this.graphs.size <= MAX_GRAPHS && bytes() <= MAX_GRAPH_BYTES)) return;
      graph.free();
      this.graphs.delete(key);
    }
  }

  private freeGraphs(): void {
    for (const graph of this.graphs.values()) graph.free();
    this.graphs.clear();
  }

  /** A look-up past a table would read foreign memory. */
  private check(pass: Pass): void {
    const { contextLength, vocab } = this.config;
    for (const { position, feed } of pass.rows) {
      if (!Number.isInteger(position) || position < 0 || position >= contextLength)
        throw new UsageError(`position ${position} is outside the context of ${contextLength}`);
      if (!Number.isInteger(feed) || feed < 0 || feed >= vocab)
        throw new UsageError(`token id ${feed} is outside the vocabulary of ${vocab}`);
    }
    const wrong = pass.logits.find((row) => !Number.isInteger(row) || row < 0 || row >= pass.rows.length);
    if (wrong !== undefined)
      throw new UsageError(`no row ${wrong} of ${pass.rows.length} to give logits for`);
  }
}
