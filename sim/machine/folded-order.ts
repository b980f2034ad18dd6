import type { OpGraph } from '../../src/model/graph.js';
import type { StagingBatch } from '../memory/staging-plan.js';
import type { StagedSequence } from './folded-staging.js';
import type { PreparedOp } from './pass-timer.js';

/** An operator of the folded graph. */
export interface FoldedOp {
  readonly prepared: PreparedOp;
  readonly onNpu: boolean;
  /** How often the model has it, and how often the pass runs it. */
  readonly count: number;
  readonly times: number;
  /** Main path before it runs on the NPU (dispatch), or its time elsewhere. */
  readonly beforeMs: number;
}

/** A whole pass over a folded graph. */
export interface FoldedPass {
  readonly graph: OpGraph;
  readonly ops: readonly FoldedOp[];
  /** Layer of the folded graph for every layer of the model. */
  readonly sequence: readonly number[];
  /** Whether the last layer stops at its keys and values: operators that run once less do not run in it. */
  readonly cut: boolean;
  /** After the last operator. */
  readonly afterMs: number;
}

/** The model's operators in order, as places in `ops`, and which of them the pass runs. */
export interface Order {
  readonly places: readonly number[];
  readonly runs: readonly boolean[];
}

export function expand({ ops, sequence, cut }: FoldedPass): Order {
  const places: number[] = [];
  const runs: boolean[] = [];
  const after: number[] = [];
  const kinds: number[][] = [];
  const add = (at: number, runsHere: boolean): void => {
    places.push(at);
    runs.push(runsHere);
  };
  ops.forEach(({ prepared, times }, at) => {
    const { layer } = prepared.op;
    if (layer !== null) {
      const kind = kinds[layer];
      if (kind === undefined) kinds[layer] = [at];
      else kind.push(at);
    } else if (kinds.length === 0) add(at, times > 0);
    else after.push(at);
  });
  sequence.forEach((kind, layer) => {
    const stopsEarly = cut && layer === sequence.length - 1;
    for (const at of kinds[kind] ?? []) {
      const op = ops[at];
      add(at, !stopsEarly || op?.times === op?.count);
    }
  });
  for (const at of after) add(at, (ops[at]?.times ?? 0) > 0);
  return { places, runs };
}

/** Weights in order of first use, as columns. */
export interface Weights {
  readonly bytes: readonly number[];
  /** Entry of the order that reads each. */
  readonly firstUse: readonly number[];
}

export function weightsOf({ ops, graph }: FoldedPass, { places }: Order): Weights {
  const bytes: number[] = [];
  const firstUse: number[] = [];
  const own = ops.map(({ prepared, onNpu }) =>
    onNpu ? prepared.op.weights.map((id) => graph.tensors.get(id)?.bytes ?? 0) : [],
  );
  for (let at = 0; at < places.length; at++) {
    for (const size of own[places[at] as number] ?? []) {
      bytes.push(size);
      firstUse.push(at);
    }
  }
  return { bytes, firstUse };
}

/** Which entry of the order reads which batch, and which is the last to. */
export function readersOf(
  batches: readonly StagingBatch[],
  { firstUse }: Weights,
  unitOf: readonly number[],
  { places, runs }: Order,
): Pick<StagedSequence, 'batch' | 'lastReader'> {
  const batchOf: number[] = [];
  batches.forEach(({ units }, batch) => {
    for (const unit of units) batchOf[unit] = batch;
  });
  const batch = places.map(() => -1);
  const lastReader = batches.map(() => -1);
  for (let weight = 0; weight < firstUse.length; weight++) {
    const entry = firstUse[weight] as number;
    const own = batchOf[unitOf[weight] ?? -1];
    if (own === undefined || runs[entry] !== true) continue;
    batch[entry] = own;
    lastReader[own] = entry;
  }
  return { batch, lastReader };
}
