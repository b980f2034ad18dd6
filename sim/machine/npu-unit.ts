import type { Op, OpGraph } from '../../src/model/graph.js';
import { chainEndsClosedForm, chainEndsMs } from './chain.js';
import type { Kernel, LowerContext, TimedKernel } from './kernel.js';
import { kernelKey, lower } from './lower/index.js';
import { busyOf, closedFormMs, type Pipeline, toProgram } from './pipeline.js';
import type { Rates } from './rates.js';
import type { NpuUnit } from './resources.js';
import { runProgram, type TaskSpan } from './run-program.js';
import { spansAlone, spansOfChain } from './task-spans.js';

/** How an operator is scheduled: chunk by chunk, or by the closed form that calibration can afford to fit with. */
export type Schedule = 'event' | 'closed-form';

/**
 * Times operators on the NPU. Between operators that hand their results on through DRAM the units are idle, so equal
 * operators take equal time and each is simulated once.
 */
export class NpuUnits {
  private readonly timed = new Map<string, TimedKernel>();
  private readonly chains = new Map<string, readonly TimedKernel[]>();
  private readonly drawn = new WeakMap<TimedKernel, readonly TaskSpan[]>();

  constructor(
    private readonly context: LowerContext,
    private readonly schedule: Schedule = 'event',
  ) {}

  /** @param key of the operator, where the caller has it */
  time(op: Op, graph: OpGraph, key = kernelKey(op, graph)): TimedKernel {
    let timed = this.timed.get(key);
    if (timed === undefined) {
      timed = timeAlone(lower(op, graph, this.context), this.context.rates, this.schedule);
      this.timed.set(key, timed);
    }
    return timed;
  }

  /**
   * Times the operators of one dispatch. With activations in TCM those of a layer are scheduled as one program;
   * each then takes the time by which it ends later than the one before.
   * @param keys of the operators, where the caller has them
   */
  timeGroup(ops: readonly Op[], graph: OpGraph, keys = ops.map((op) => kernelKey(op, graph))): TimedKernel[] {
    if (this.context.stack.activationsIn === 'dram') {
      return ops.map((op, at) => this.time(op, graph, keys[at]));
    }
    const timed: TimedKernel[] = [];
    for (let from = 0; from < ops.length; ) {
      const { layer } = ops[from];
      let to = from + 1;
      while (ops[to]?.layer === layer) to++;
      timed.push(...this.timeChain(ops.slice(from, to), graph, keys.slice(from, to).join(' ')));
      from = to;
    }
    return timed;
  }

  private timeChain(ops: readonly Op[], graph: OpGraph, key: string): readonly TimedKernel[] {
    let chain = this.chains.get(key);
    if (chain === undefined) {
      const kernels = ops.map((op) => lower(op, graph, this.context));
      const ends = this.schedule === 'event' ? chainEndsMs(kernels) : chainEndsClosedForm(kernels);
      chain = kernels.map((kernel, at) => {
        const ms = ends[at] - (ends[at - 1] ?? 0);
        return { ...kernel, ms, busyMs: busySum(kernel) };
      });
      this.chains.set(key, chain);
    }
    return chain;
  }

  /** Every task of an operator, relative to its start; before it where a chain fetches ahead. */
  spans(kernel: TimedKernel): readonly TaskSpan[] {
    let spans = this.drawn.get(kernel);
    if (spans !== undefined) return spans;
    for (const chain of this.chains.values()) {
      if (!chain.includes(kernel)) continue;
      const own = spansOfChain(chain);
      chain.forEach((link, at) => {
        this.drawn.set(link, own[at]);
      });
    }
    spans = this.drawn.get(kernel) ?? spansAlone(kernel);
    this.drawn.set(kernel, spans);
    return spans;
  }
}

/**
 * An operator that starts on idle units. Its agents, DMA queues and vector threads that read and write DRAM themselves, each
 * have a rate of their own; together they move its bytes no faster than DRAM gives them.
 */
export function timeAlone(
  kernel: Kernel,
  { npuDramBytesPerMs }: Pick<Rates, 'npuDramBytesPerMs'>,
  schedule: Schedule = 'event',
): TimedKernel {
  const of = (pipeline: Pipeline): number =>
    schedule === 'event' ? runProgram(toProgram(pipeline)).ms : closedFormMs(pipeline);
  let onceMs = 0;
  let before: Pipeline | null = null;
  let ms = 0;
  for (const pipeline of kernel.pipelines) {
    // Gate and up of an expert are the same object.
    if (pipeline !== before) ms = of(pipeline);
    before = pipeline;
    onceMs += ms;
  }
  const { pipelines, repeats, dmaBytes, l2Bytes, matrixMacs, tcmPeakBytes } = kernel;
  return {
    pipelines,
    repeats,
    dmaBytes,
    l2Bytes,
    matrixMacs,
    tcmPeakBytes,
    ms: Math.max(onceMs * repeats, (dmaBytes + l2Bytes) / npuDramBytesPerMs),
    busyMs: busySum(kernel),
  };
}

function busySum({ pipelines, repeats }: Kernel): [number, number, number, number] {
  const busyMs: [number, number, number, number] = [0, 0, 0, 0];
  for (const pipeline of pipelines) {
    busyOf(pipeline).forEach((busy, unit) => {
      busyMs[unit as 0] += repeats * busy;
    });
  }
  return busyMs;
}

/** A stretch of time, in ms. */
interface Interval {
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * An operator that starts at `startMs` while staging copies run: it progresses at one pace beside a copy and at
 * another without.
 * @param copies in order, not overlapping
 */
export function stretched(
  alone: TimedKernel,
  besideCopy: TimedKernel,
  copies: readonly Interval[],
  startMs: number,
): Pick<TimedKernel, 'ms' | 'busyMs'> {
  if (copies.length === 0 || besideCopy.ms === alone.ms) return alone;
  let left = 1;
  let slow = 0;
  let nowMs = startMs;
  for (const copy of copies) {
    const aloneMs = Math.max(0, Math.min(left * alone.ms, copy.startMs - nowMs));
    left -= Math.min(left, aloneMs / alone.ms);
    nowMs += aloneMs;
    const besideMs = Math.max(0, Math.min(left * besideCopy.ms, copy.endMs - nowMs));
    const done = Math.min(left, besideMs / besideCopy.ms);
    left -= done;
    nowMs += besideMs;
    slow += done;
  }
  const ms = nowMs - startMs + left * alone.ms;
  const mix = (unit: NpuUnit): number => (1 - slow) * alone.busyMs[unit] + slow * besideCopy.busyMs[unit];
  return { ms, busyMs: [mix(0), mix(1), mix(2), mix(3)] };
}
