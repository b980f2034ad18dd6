import type { Op, OpGraph } from '../../src/model/graph.js';
import type { HardwareProfile } from '../hardware/schema.js';
import type { PlacedPass } from '../memory/runtime.js';
import type { Device, DispatchGroup } from '../stacks/behaviours.js';
import { groupsOf } from '../stacks/dispatch.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { type CpuWork, cpuMs } from './cpu-model.js';
import type { TimedKernel } from './kernel.js';
import { cpuWork, kernelKey, operatorStarts } from './lower/index.js';
import { bytesOf, matrixRows, tensorOf } from './lower/tensors.js';
import type { NpuUnits } from './npu-unit.js';
import { type OpLabel, opLabel, type PartName } from './parts.js';

/** An operator of a model, whatever the shape of the pass. */
export interface NamedOp {
  readonly id: string;
  readonly layer: number | null;
  readonly label: OpLabel;
  readonly weights: readonly string[];
}

/** What an operator takes on this machine: one object for equal operators of a pass. */
export type OpWork = NpuWork | HostWork;

export interface NpuWork {
  readonly device: 'npu';
  readonly part: PartName;
  readonly macs: number;
  /** Alone and beside a staging copy. */
  readonly kernel: TimedKernel;
  readonly besideCopy: TimedKernel;
  /** Starting and joining threads. */
  readonly startMs: number;
}

export interface HostWork {
  readonly device: 'cpu' | 'gpu';
  readonly part: PartName;
  readonly hostMs: number;
  /** DRAM traffic. */
  readonly hostBytes: number;
}

/** Operators that go to the NPU with the one before them need no dispatch. */
export const SAME_DISPATCH = -1;

/** What a pass takes on a machine, but for its memory: depends on the shape only. In columns, because sweeps keep many. */
export interface PreparedPass extends PlacedPass {
  /** Operators on all devices, in order, and what each takes. */
  readonly all: readonly NamedOp[];
  readonly work: readonly OpWork[];
  /**
   * Flush and invalidation of the activations of the dispatch that an operator on the NPU begins, in ms; else
   * `SAME_DISPATCH`.
   */
  readonly maintenanceMs: Float64Array;
  /** Copy of what crosses where an operator is the first on another processor than the one before, in ms; else -1. */
  readonly copyMs: Float64Array;
  /** How often the graph changes processors. */
  readonly splits: number;
  /** The first operator that needs all CPU threads after work on the NPU; -1 without one. */
  readonly wakesAt: number;
  /** Choice of tokens; null without logits. */
  readonly sampling: { readonly ms: number; readonly bytes: number } | null;
  /** Rows of the pass over rows the matrix unit computed; 1 when it computed none. */
  readonly usefulRowFraction: number;
}

/** The parts of a machine that preparing looks at. */
export interface Workplace {
  readonly profile: HardwareProfile;
  readonly stack: SoftwareStack;
  readonly npu: NpuUnits;
  /** The same units while a staging copy takes its share of DRAM. */
  readonly npuBesideCopy: NpuUnits;
  /** Mid cores that do as much as the threads of the main path, and what they read from DRAM. */
  readonly cpuThreads: number;
  readonly cpuBytesPerMs: number;
  /** What passes of the model have in common. */
  readonly names: Names;
}

/** Operators of a model by id, and the few orders in which passes run them: the same objects for every shape. */
export class Names {
  private readonly known = new Map<string, NamedOp>();
  private readonly orders: NamedOp[][] = [];

  of(op: Op): NamedOp {
    let found = this.known.get(op.id);
    if (found === undefined) {
      found = { id: op.id, layer: op.layer, label: opLabel(op), weights: op.weights };
      this.known.set(op.id, found);
    }
    return found;
  }

  order(ops: NamedOp[]): readonly NamedOp[] {
    const same = this.orders.find(
      (known) => known.length === ops.length && known.every((op, at) => op === ops[at]),
    );
    if (same !== undefined) return same;
    this.orders.push(ops);
    return ops;
  }
}

/** @param scratchBytes of the activations of the pass, found when asked for */
export function preparePass(graph: OpGraph, at: Workplace, scratchBytes: () => number): PreparedPass {
  const { rows, kvSets } = graph.shape;
  const all: NamedOp[] = [];
  const ops: NamedOp[] = [];
  const work: OpWork[] = [];
  const maintenanceMs = new Float64Array(graph.ops.length).fill(SAME_DISPATCH);
  const copyMs = new Float64Array(graph.ops.length).fill(-1);
  const alike = new Map<string, HostWork>();
  const alikeOnNpu = new Map<TimedKernel, NpuWork[]>();
  let splits = 0;
  let wakesAt = -1;
  let before: Device | null = null;
  for (const group of groupsOf(at.stack, graph, at.profile)) {
    const first = all.length;
    if (before !== null && before !== group.device) {
      splits++;
      copyMs[first] = copyOfSplit(group, graph, at);
    }
    before = group.device;
    if (group.device === 'cpu' && wakesAt < 0 && ops.length > 0) {
      const needsAll = group.ops.findIndex(({ macs }) => macs > 0);
      if (needsAll >= 0) wakesAt = first + needsAll;
    }
    for (const op of group.ops) all.push(at.names.of(op));
    if (group.device === 'npu') {
      const bytes = sharedBytes(group, graph) + cacheBytes(group, graph, at.stack);
      maintenanceMs[first] = (bytes / 1e6) * at.profile.driver.cacheMaintenance;
      addNpuWork(work, group.ops, graph, at, alikeOnNpu);
      ops.push(...all.slice(first));
    } else {
      for (const op of group.ops) work.push(shared(alike, hostWork(op, graph, group.device, at)));
    }
  }
  return {
    rows,
    positions: kvSets.reduce((sum, set) => sum + set.length, rows),
    ops: at.names.order(ops),
    scratchBytes,
    all: at.names.order(all),
    work,
    maintenanceMs,
    copyMs,
    splits,
    wakesAt,
    sampling: sampling(graph, at),
    usefulRowFraction: ops.length === 0 ? 1 : usefulRowFraction(rows, at),
  };
}

/** Copy of the activations that cross, in ms; where a stack has no cost of a split, its calls hold it. */
function copyOfSplit(group: DispatchGroup, graph: OpGraph, { stack, profile }: Workplace): number {
  if (stack.numbers.splitMs === 0) return 0;
  const own = new Set(group.ops.flatMap(({ outputs }) => outputs));
  const crossing = new Set(group.ops.flatMap(({ inputs }) => inputs).filter((id) => !own.has(id)));
  const bytes = bytesOf(
    graph,
    [...crossing].filter((id) => tensorOf(graph, id).role === 'activation'),
  );
  return bytes / (profile.cpu.sharedCopyRate * 1e6);
}

function addNpuWork(
  work: OpWork[],
  ops: readonly Op[],
  graph: OpGraph,
  at: Workplace,
  known: Map<TimedKernel, NpuWork[]>,
): void {
  const { npu, npuBesideCopy, stack } = at;
  const keys = ops.map((op) => kernelKey(op, graph));
  const kernels = npu.timeGroup(ops, graph, keys);
  const besideCopy = npuBesideCopy === npu ? kernels : npuBesideCopy.timeGroup(ops, graph, keys);
  for (let index = 0; index < ops.length; index++) {
    const op = ops[index];
    const kernel = kernels[index];
    const part = `NPU ${opLabel(op)}` as const;
    let alike = known.get(kernel);
    if (alike === undefined) {
      alike = [];
      known.set(kernel, alike);
    }
    let found = alike.find((candidate) => candidate.part === part);
    if (found === undefined) {
      found = {
        device: 'npu',
        part,
        macs: op.macs,
        kernel,
        besideCopy: besideCopy[index],
        startMs: operatorStarts(op, stack) * stack.numbers.opStartMs,
      };
      alike.push(found);
    }
    work.push(found);
  }
}

function shared(alike: Map<string, HostWork>, work: HostWork): HostWork {
  const key = `${work.part} ${work.hostMs} ${work.hostBytes}`;
  const found = alike.get(key) ?? work;
  alike.set(key, found);
  return found;
}

/** An operator outside the NPU. On the GPU it is bound by its arithmetic or by DRAM, and costs its launch. */
function hostWork(op: Op, graph: OpGraph, device: 'cpu' | 'gpu', at: Workplace): HostWork {
  const { profile, stack } = at;
  const { singleThreadMs, bytes } = cpuWork(op, graph, profile, stack.numbers);
  const label = opLabel(op);
  if (device === 'cpu') {
    const ms = cpuMs({ singleThreadMs, bytes }, at.cpuThreads, at.cpuBytesPerMs);
    const hostMs = ms + stack.numbers.cpuBarrierMs;
    return { device, part: `CPU ${label}`, hostMs, hostBytes: bytes };
  }
  const { readRate, macsPerNs, kernelLaunch } = profile.gpu;
  const hostMs =
    Math.max(op.macs / (macsPerNs * 1e6), bytes / (readRate * 1e6)) +
    operatorStarts(op, stack) * kernelLaunch;
  return { device, part: `GPU ${label}`, hostMs, hostBytes: bytes };
}

/** Softmax, confidence and choice over the logits of every row that somebody samples. */
function sampling(graph: OpGraph, at: Workplace): PreparedPass['sampling'] {
  if (graph.logits === null) return null;
  const { logitsRows, sampledRows = logitsRows } = graph.shape;
  const bytes = bytesOf(graph, [graph.logits]) * (sampledRows / logitsRows);
  const work: CpuWork = { singleThreadMs: (bytes / 4) * at.stack.numbers.samplePerLogitMs, bytes };
  return { ms: cpuMs(work, at.cpuThreads, at.cpuBytesPerMs), bytes };
}

function usefulRowFraction(rows: number, at: Workplace): number {
  if (rows < at.stack.numbers.matrixFromRows) return 1;
  const tile = matrixRows(at);
  return rows / (Math.ceil(rows / tile) * tile);
}

/** Bytes of the activations that cross a dispatch. The KV cache stays on the NPU's side. */
function sharedBytes({ ops }: DispatchGroup, graph: OpGraph): number {
  const own = new Set(ops.map((op) => op.id));
  const inside = new Set(ops.flatMap((op) => op.outputs));
  const names = new Set<string>();
  for (const op of ops) {
    for (const id of op.inputs) if (!inside.has(id) && tensorOf(graph, id).role !== 'kv') names.add(id);
    for (const id of op.outputs) {
      const { consumers } = tensorOf(graph, id);
      if (consumers.length === 0 || consumers.some((user) => !own.has(user))) names.add(id);
    }
  }
  return bytesOf(graph, [...names]);
}

/** Bytes of cached keys and values that a dispatch is handed, where they are the host's. */
function cacheBytes(
  { ops }: DispatchGroup,
  graph: OpGraph,
  { kvCache, kvElementBytes }: SoftwareStack,
): number {
  if (kvCache !== 'shared') return 0;
  const ids = new Set(ops.flatMap(({ inputs }) => inputs).filter((id) => tensorOf(graph, id).role === 'kv'));
  const stored = graph.precision.kv === 'f16' ? 2 : 4;
  return bytesOf(graph, [...ids]) * ((kvElementBytes ?? stored) / stored);
}
