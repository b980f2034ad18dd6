import { Program, type TaskKind } from './program.js';
import { DMA, L2, MATRIX, type NpuUnit, VECTOR } from './resources.js';

/** Times of one chunk on its way through an operator. A stage of 0 ms does not exist for the operator. */
export interface ChunkCost {
  readonly loadMs: number;
  /** Vector unit: packed weights to tile-ordered FP16. */
  readonly decodeMs: number;
  readonly multiplyMs: number;
  /** Vector unit: the arithmetic of vector operators, softmax, or bringing products out of tile order. */
  readonly finishMs: number;
  readonly storeMs: number;
  /** What the load and the store move, for timelines. @defaultValue 0 */
  readonly loadBytes?: number;
  readonly storeBytes?: number;
}

/**
 * An operator on the NPU: `tiles` row tiles, each of which loads its activations and then streams all chunks.
 * Described once; the event program and the closed form both come from it.
 */
export interface Pipeline {
  /** `dma`: through TCM; `l2`: vector threads read and write DRAM through L2. */
  readonly path: 'dma' | 'l2';
  readonly tiles: number;
  readonly setup: { readonly loadMs: number; readonly convertMs: number; readonly loadBytes?: number };
  readonly chunk: ChunkCost;
  /** Chunks of a tile that cost `chunk`. */
  readonly fullChunks: number;
  /** The shorter last chunk of a tile. */
  readonly rest: ChunkCost | null;
  /** Nothing overlaps: a chunk is stored before the next is loaded. */
  readonly serial?: boolean;
  /** The chunks of a tile are loaded only when its setup is done. */
  readonly loadsWait?: boolean;
  /** A tile begins only when the one before is finished. */
  readonly tilesApart?: boolean;
}

/** Packed and decoded chunks have two slots each, so chunk i waits for chunk i - SLOTS to leave. */
const SLOTS = 2;
/** A finished chunk waits for its store behind two later loads. */
const OUTPUT_SLOTS = 3;

/** TCM slots per buffer that `toProgram` relies on. */
export const PIPELINE_SLOTS = {
  packed: SLOTS,
  decoded: SLOTS,
  output: OUTPUT_SLOTS,
  activations: SLOTS,
} as const;

/** Where an operator of a statically scheduled graph ends and the next begins. */
export interface Seam {
  /** The result is complete; nothing that reads it may start before. */
  readonly ready: number;
  /** Tasks that free the slots of packed and of decoded chunks, the last slots' last. */
  readonly packed: readonly number[];
  readonly decoded: readonly number[];
}

const NO_SEAM: Seam = { ready: -1, packed: [], decoded: [] };

/** The chunks of an operator as tasks, software-pipelined: loads run ahead, stores trail. */
export function toProgram(pipeline: Pipeline): Program {
  const program = new Program();
  appendTo(program, pipeline, NO_SEAM);
  return program;
}

/** Appends an operator to a program. Its loads may start before the seam is ready, its arithmetic may not. */
export function appendTo(program: Program, pipeline: Pipeline, seam: Seam): Seam {
  const { path, tiles, setup, chunk, fullChunks, rest, serial = false } = pipeline;
  const { loadsWait = false, tilesApart = false } = pipeline;
  const mover = path === 'dma' ? DMA : L2;
  const costs = rest === null ? fullChunks : fullChunks + 1;
  const total = tiles * costs;
  const costAt = (index: number): ChunkCost => (rest !== null && index % costs === costs - 1 ? rest : chunk);

  /** Last task of chunk i that reads the slot `load` filled, and so on; -1 where there is none. */
  const taken: number[] = [];
  const multiplied: number[] = [];
  const finished: number[] = [];
  const stored: number[] = [];
  const of = (column: readonly number[], index: number): number => column[index] ?? -1;
  /** The same where `index` may lie before this operator. */
  const slot = (column: readonly number[], before: readonly number[], index: number): number =>
    index < 0 ? (before.at(index) ?? -1) : of(column, index);
  const ready = (index: number): number => (index === 0 ? seam.ready : -1);
  const add = (unit: NpuUnit, kind: TaskKind, ms: number, a = -1, b = -1, c = -1, d = -1): number =>
    ms > 0 ? program.add(unit, kind, ms, 0, a, b, c, d) : -1;
  const move = (kind: TaskKind, ms: number, bytes = 0, a = -1, b = -1, c = -1): number =>
    ms > 0 ? program.add(mover, kind, ms, bytes, a, b, c) : -1;
  /** The latest existing task of a chunk's chain. */
  const latest = (a: number, b: number, c = -1): number => (a >= 0 ? a : b >= 0 ? b : c);

  const finish = (index: number): void => {
    finished[index] = add(VECTOR, 'vector', costAt(index).finishMs, of(multiplied, index), ready(index));
    if (of(taken, index) < 0) taken[index] = of(finished, index);
  };
  const store = (index: number): void => {
    const ready = latest(of(finished, index), of(multiplied, index));
    const { storeMs, storeBytes } = costAt(index);
    stored[index] = move('store', storeMs, storeBytes, ready);
  };

  /** Emits the finishes and stores that trail behind the last chunks before `until`. */
  const flush = (until: number): void => {
    for (let index = Math.max(0, until - SLOTS); index < until; index++) {
      trail(finished, finish, index);
      trail(stored, store, index);
    }
  };

  for (let index = 0; index < total; index++) {
    const cost = costAt(index);
    let prepared = -1;
    const last = index - 1;
    const first = index % costs === 0;
    if (first && tilesApart) flush(index);
    const waits = serial || (first && tilesApart);
    const before = waits ? latest(of(stored, last), of(finished, last), of(multiplied, last)) : -1;
    if (first) {
      const left = of(multiplied, index - costs * (SLOTS - 1) - 1);
      const load = move('load', setup.loadMs, setup.loadBytes, ready(index), left, before);
      prepared = latest(add(VECTOR, 'convert', setup.convertMs, load, ready(index), before), load);
    }
    const turn = waits || (first && loadsWait) ? latest(prepared, before) : -1;
    const free = slot(taken, seam.packed, index - SLOTS);
    const load = move('load', cost.loadMs, cost.loadBytes, -1, free, turn);
    const decode = add(VECTOR, 'decode', cost.decodeMs, load, slot(multiplied, seam.decoded, index - SLOTS));
    const behind = index - OUTPUT_SLOTS;
    const stays = latest(of(stored, behind), of(finished, behind));
    const multiply = add(
      MATRIX,
      'multiply',
      cost.multiplyMs,
      latest(decode, load),
      prepared,
      ready(index),
      stays,
    );
    taken[index] = latest(decode, multiply);
    multiplied[index] = latest(multiply, decode, load);
    if (serial) {
      finish(index);
      store(index);
    } else if (cost.multiplyMs === 0 && cost.finishMs > 0) {
      // Vector operators: nothing between load and arithmetic.
      finish(index);
      if (index >= 1) trail(stored, store, index - 1);
    } else {
      if (index >= 1) trail(finished, finish, index - 1);
      if (index >= SLOTS) trail(stored, store, index - SLOTS);
    }
  }
  flush(total);
  const end = total - 1;
  const loads = chunk.loadMs > 0 || (rest?.loadMs ?? 0) > 0;
  return {
    ready: latest(of(finished, end), of(multiplied, end), seam.ready),
    packed: loads ? taken : seam.packed,
    decoded: loads ? multiplied : seam.decoded,
  };
}

/** Emits what trails behind a chunk, once. */
function trail(column: readonly number[], emit: (index: number) => void, index: number): void {
  if (column[index] === undefined) emit(index);
}

/** Time of every stage, one after the other: the slowest the operator can be. */
export function serialMs(pipeline: Pipeline): number {
  const { tiles, setup, chunk, fullChunks, rest } = pipeline;
  const each = (cost: ChunkCost): number =>
    cost.loadMs + cost.decodeMs + cost.multiplyMs + cost.finishMs + cost.storeMs;
  return (
    tiles * (setup.loadMs + setup.convertMs + fullChunks * each(chunk) + (rest === null ? 0 : each(rest)))
  );
}

/** Busy time of matrix, vector, dma, l2: work over rate, whatever the schedule. */
export function busyOf(pipeline: Pipeline): [number, number, number, number] {
  const { path, tiles, setup, chunk, fullChunks, rest } = pipeline;
  let matrix = fullChunks * chunk.multiplyMs;
  let vector = setup.convertMs + fullChunks * (chunk.decodeMs + chunk.finishMs);
  let moved = setup.loadMs + fullChunks * (chunk.loadMs + chunk.storeMs);
  if (rest !== null) {
    matrix += rest.multiplyMs;
    vector += rest.decodeMs + rest.finishMs;
    moved += rest.loadMs + rest.storeMs;
  }
  const dma = path === 'dma';
  return [tiles * matrix, tiles * vector, dma ? tiles * moved : 0, dma ? 0 : tiles * moved];
}

/**
 * Closed form of the same operator: fill, the busiest unit, drain. In steady state the in-order units overlap
 * fully, so the busiest one sets the pace.
 */
export function closedFormMs(pipeline: Pipeline): number {
  if (pipeline.serial) return serialMs(pipeline);
  if (pipeline.tilesApart) return pipeline.tiles * closedFormMs({ ...pipeline, tiles: 1, tilesApart: false });
  if (pipeline.loadsWait) {
    const setupMs = pipeline.tiles * (pipeline.setup.loadMs + pipeline.setup.convertMs);
    const rest = { ...pipeline, setup: { loadMs: 0, convertMs: 0 }, loadsWait: false };
    return setupMs + closedFormMs(rest);
  }
  const { tiles, setup, chunk, fullChunks, rest } = pipeline;
  const first = fullChunks > 0 ? chunk : (rest ?? chunk);
  const last = rest ?? chunk;
  const [matrix, vector, dma, l2] = busyOf(pipeline);
  const moved = dma + l2;
  const tail = last.finishMs + last.storeMs;
  // Loads run no more than the slots ahead of a conversion, which nothing that frees a slot overtakes.
  const chunks = fullChunks + (rest === null ? 0 : 1);
  const held = tiles * Math.max(0, setup.convertMs - Math.min(SLOTS, chunks) * first.loadMs);
  // The vector unit converts activations while the first chunk is loaded.
  const late = Math.max(0, first.loadMs - setup.convertMs);
  return Math.max(
    moved + held + last.decodeMs + last.multiplyMs + last.finishMs,
    vector + setup.loadMs + late + last.multiplyMs + last.storeMs,
    matrix + setup.loadMs + setup.convertMs + late + first.decodeMs + tail,
  );
}
