import { UsageError } from '../errors.js';
import { passMacs } from '../model/closed-forms.js';
import type { KvRef, Pass } from '../pass/pass.js';
import { passShape } from '../pass/shape.js';
import type { Engine, OperatorTime } from './engine.js';

/** The pass that is measured. */
export interface TimedShape {
  /** Rows computed. */
  readonly rows: number;
  /** Positions in the cache before. */
  readonly context: number;
  /** Rows that get logits. */
  readonly logitsRows: number;
}

export interface PassTimes {
  /** Every repetition's wall-clock time in ms, in order. */
  readonly samplesMs: readonly number[];
  readonly meanMs: number;
  /** Sample standard deviation; 0 for one repetition. */
  readonly deviationMs: number;
  readonly tokensPerS: number;
  /** Of matrix products, two operations per multiply-accumulate. */
  readonly gflops: number;
  /** Of the CPU, where the engine chooses them by the size of a pass. */
  readonly threads?: number;
  /** One by one, where they were asked for. */
  readonly operators?: readonly OperatorTime[];
}

/** Rows of one pass that fills the cache. */
const FILL_ROWS = 256;

/**
 * Measures one forward pass, K and V and logits included, on a cache of a given length; a first pass that is not
 * counted brings weights and code into memory. The engine keeps nothing afterwards.
 */
export async function timePass(
  engine: Engine,
  shape: TimedShape,
  repetitions: number,
  { signal, operators = false }: { readonly signal?: AbortSignal; readonly operators?: boolean } = {},
): Promise<PassTimes> {
  const { config } = engine;
  if (operators && engine.operatorTimes === undefined)
    throw new UsageError(`engine ${engine.name} does not time its operators: take ggml on the CPU`);
  const causal = config.attention === 'causal';
  let version = 0;
  const passOf = (kind: Pass['kind'], rows: number, reads: readonly KvRef[], logits: number): Pass => ({
    id: `${version}.0`,
    kind,
    lane: 'main',
    version: version++,
    reads,
    visibility: causal ? 'causal' : 'all',
    rows: Array.from({ length: rows }, (_, row) => {
      const position = reads.length + row;
      return { position, feed: (7919 * position) % config.vocab };
    }),
    logits: Array.from({ length: logits }, (_, row) => rows - logits + row),
  });
  engine.retain([]);
  const cached: KvRef[] = [];
  while (cached.length < shape.context) {
    signal?.throwIfAborted();
    const rows = Math.min(FILL_ROWS, shape.context - cached.length);
    const pass = passOf('prefill', rows, [...cached], 0);
    await engine.run(pass);
    cached.push(...pass.rows.map(({ position }) => ({ position, version: pass.version })));
  }
  const once = async (): Promise<number> => {
    signal?.throwIfAborted();
    const pass = passOf('denoise', shape.rows, cached, shape.logitsRows);
    const began = performance.now();
    await engine.run(pass);
    const ms = performance.now() - began;
    engine.retain(cached);
    return ms;
  };
  await once();
  const samplesMs: number[] = [];
  for (let i = 0; i < repetitions; i++) samplesMs.push(await once());
  const pass = passOf('denoise', shape.rows, cached, shape.logitsRows);
  const apart = operators ? await engine.operatorTimes!(pass, repetitions) : undefined;
  const threads = engine.lastThreads?.();
  engine.retain([]);
  return {
    samplesMs,
    ...summaryOf(samplesMs, shape.rows, passMacs(config, passShape(pass))),
    threads,
    operators: apart,
  };
}

/** @param macs multiply-accumulates of a pass */
export function summaryOf(
  samplesMs: readonly number[],
  rows: number,
  macs: number,
): Omit<PassTimes, 'samplesMs' | 'threads' | 'operators'> {
  const count = samplesMs.length;
  const meanMs = samplesMs.reduce((sum, ms) => sum + ms, 0) / count;
  const squares = samplesMs.reduce((sum, ms) => sum + (ms - meanMs) ** 2, 0);
  return {
    meanMs,
    deviationMs: count === 1 ? 0 : Math.sqrt(squares / (count - 1)),
    tokensPerS: (1000 * rows) / meanMs,
    gflops: (2 * macs) / (1e6 * meanMs),
  };
}
