import { UsageError } from '../../src/errors.js';
import type { Op, OpGraph, Precision } from '../../src/model/graph.js';
import { unknownName } from '../../src/util/nearest.js';
import { type Dimension, type Quantity, type QuantityEntry, toQuantity } from '../hardware/quantity.js';
import type { HardwareProfile } from '../hardware/schema.js';

export type Device = 'npu' | 'cpu' | 'gpu';

/** Numbers of a software stack, in base units; each keeps its provenance in `SoftwareStack.provenance`. */
export interface StackNumbers {
  /** Dequantized weights one pipeline chunk holds in TCM. */
  readonly chunkWeights: number;
  /** Keys one attention chunk holds in TCM. */
  readonly attentionKeys: number;
  /** Query rows that meet a key chunk together where keys come from DRAM for each of them; at least a matrix step. */
  readonly attentionRows: number;
  /** Bytes a vector operator streams per chunk. */
  readonly streamChunkBytes: number;
  /** Vector instructions per register of RMSNorm, RoPE, SwiGLU and addition. */
  readonly normOps: number;
  readonly ropeOps: number;
  readonly swigluOps: number;
  readonly addOps: number;
  /** CPU threads of main-path operators (head, or everything on the CPU stack). */
  readonly cpuThreads: number;
  /** CPU threads of refresh passes beside the main path. */
  readonly refreshThreads: number;
  /** How many times faster than dot products the vocabulary projection is on the CPU; 1 is the same kernel. */
  readonly headSpeedup: number;
  /** How many times faster than dot products a matrix product of several rows is on the CPU; 1 decodes weights per row. */
  readonly gemmSpeedup: number;
  /** CPU time of softmax and confidence for one logit on one thread, in ms. */
  readonly samplePerLogitMs: number;
  /** Cost of starting and joining the CPU threads for one operator, in ms. */
  readonly cpuBarrierMs: number;
  /** Weights are allocated in buffers of at most this size; the on-demand runtime maps whole buffers. */
  readonly maxBufferBytes: number;
  /** The KV cache grows in steps of this many positions. */
  readonly kvGrowthTokens: number;
  /** Upper size of one of the two staging slots. */
  readonly slotBytes: number;
  /** Matrix products of at least this many rows use the matrix unit; those with fewer run on vector threads. */
  readonly matrixFromRows: number;
  /** Hardware row tiles that one matrix step takes; a pass is padded to as many rows. */
  readonly rowTiles: number;
  /** From as many rows on chunks overlap; with fewer, each is loaded, decoded, multiplied and stored before the next. */
  readonly overlapFromRows: number;
  /** How fast weights are decoded, as a share of the profile's rate, which is that of a layout in the order of the matrix tiles. */
  readonly decodeSpeed: number;
  /** Vector instructions a thread ends per cycle, for work that is counted in instructions. */
  readonly vectorIpc: number;
  /** How fast a softmax is, as a share of the fused F16 kernel that the profile's exponential comes from. */
  readonly softmaxSpeed: number;
  /** Multiply-accumulates per cycle of this stack's number format, FP16 = 1. */
  readonly matrixRate: number;
  /** 8-bit multiply-accumulates of a vector thread per cycle, unpacking of 4-bit weights included. */
  readonly vectorMacsPerCycle: number;
  /** The same for 8-bit weights, which need no unpacking. */
  readonly vectorQ8MacsPerCycle: number;
  /** FP16 multiply-accumulates of a vector thread per cycle. */
  readonly vectorF16MacsPerCycle: number;
  /** Activations a vector thread turns into 8-bit blocks per cycle, for vector products. */
  readonly vectorQuantPerCycle: number;
  /** Bytes weights take in this stack's layout, as a share of their GGUF size. */
  readonly q4Layout: number;
  readonly q8Layout: number;
  /** What an operator costs on the NPU before its first chunk: starting and joining the worker threads. */
  readonly opStartMs: number;
  /** Operators of one dispatch at most. */
  readonly batchOps: number;
  /** A prompt is processed in passes of at most this many rows. */
  readonly prefillRows: number;
}

/** Operators handed to a device in one dispatch. */
export interface DispatchGroup {
  readonly device: Device;
  readonly ops: readonly Op[];
}

/**
 * How software turns a graph into work on a chip: what runs where, how it is tiled, what is decoded again, how
 * it is dispatched. The same chip differs several times between stacks.
 */
export interface SoftwareStack {
  readonly name: string;
  readonly description: string;
  readonly numbers: StackNumbers;
  readonly provenance: Readonly<Record<keyof StackNumbers, Quantity>>;
  /**
   * Whether decoded weights are used again by the next row tile. `none`: each 32-row tile streams and decodes
   * every weight again; `all-tiles`: a decoded chunk meets all row tiles before it is dropped.
   */
  readonly weightReuse: 'none' | 'all-tiles';
  /** Who turns packed weights into what the matrix unit takes: the vector threads, or nobody. */
  readonly weightDecode: 'vector' | 'none';
  /**
   * `dram`: an operator reads its inputs from DRAM and writes its result back; `tcm`: a statically scheduled
   * graph hands results on inside TCM, and the next operator's weights are loaded while one still runs.
   */
  readonly activationsIn: 'dram' | 'tcm';
  /** How weights come: as long streams of a compiled graph, or tile by tile through one queue, through the cache or past it. */
  readonly weightStream: 'queue' | 'bypass' | 'bulk';
  /**
   * Who moves the activations of a product on the matrix unit between DRAM and TCM. `dma`: a queue, beside everything else.
   * Otherwise the vector threads that convert them wait for them: they fill TCM by a queue each (`queues`) or read DRAM
   * themselves (`direct`), and store results to DRAM themselves.
   */
  readonly productActivations?: 'dma' | 'queues' | 'direct';
  /** How products on vector threads get their weights: a DMA queue for each thread, or reads of DRAM through L2. */
  readonly vectorWeights?: 'queues' | 'direct';
  /** How element-wise operators reach DRAM: through L2, or with a queue for each vector thread and buffers in TCM. */
  readonly elementwise?: 'l2' | 'queues';
  /** Operators that this stack runs and the graph does not show: the gain of a norm on its own, and writes to the KV cache. */
  readonly extraOperators?: { readonly normGain: boolean; readonly kvWrites: boolean };
  /** Bytes of a cached key or value element, when they differ from those of the model's precision. */
  readonly kvElementBytes?: 1 | 2;
  /** How CPU threads share an operator: equal parts, so that the slowest core decides, or by the speed of each core. */
  readonly threadShares?: 'equal' | 'by-speed';
  /** Storage of activations, when it differs from that of the model's precision. */
  readonly activations?: Precision['activations'];
  /**
   * A compiled graph has one shape: it attends to all keys it was compiled for whatever is cached, its prompt passes
   * have `prefillRows` rows whatever the prompt, and each of them gives logits. Without it a pass is what is needed.
   */
  readonly staticShapes?: boolean;
  /** How a group reaches the NPU. */
  readonly dispatch: 'remote-call' | 'queue';
  /**
   * NPU processes, each with its own address window, that share the layers.
   * @param weightBytes of all operators on the NPU
   */
  sessions(weightBytes: number, profile: HardwareProfile): number;
  /** Splits a pass into dispatches, in execution order. */
  groups(graph: OpGraph, profile: HardwareProfile): readonly DispatchGroup[];
}

function dimensionOf(name: string): Dimension {
  return name.endsWith('Bytes') ? 'bytes' : name.endsWith('Ms') ? 'time' : 'count';
}

/** Checks the provenance of a stack's numbers. Values are in the text form of a profile. */
export function stackNumbers(entries: Readonly<Record<keyof StackNumbers, QuantityEntry>>): {
  numbers: StackNumbers;
  provenance: Record<keyof StackNumbers, Quantity>;
} {
  const provenance = {} as Record<keyof StackNumbers, Quantity>;
  const numbers = {} as { -readonly [K in keyof StackNumbers]: number };
  for (const name of Object.keys(entries) as (keyof StackNumbers)[]) {
    const parsed = toQuantity(entries[name], dimensionOf(name));
    provenance[name] = parsed;
    numbers[name] = parsed.value;
  }
  return { numbers, provenance };
}

/**
 * A copy of a stack with some numbers replaced, for sweeps. Replaced numbers become `assumed` with source
 * `override`.
 * @param overrides name to text, with unit where it has one, e.g. `{ headSpeedup: '4', slotBytes: '128 MiB' }`
 * @throws UsageError for an unknown name or a value of the wrong dimension
 */
export function overrideStack(
  stack: SoftwareStack,
  overrides: Readonly<Record<string, string>>,
): SoftwareStack {
  if (Object.keys(overrides).length === 0) return stack;
  const numbers: Record<string, number> = { ...stack.numbers };
  const provenance: Record<string, Quantity> = { ...stack.provenance };
  for (const [name, text] of Object.entries(overrides)) {
    if (provenance[name] === undefined) throw unknownName('stack number', name, Object.keys(provenance));
    try {
      const entry = {
        value: text,
        kind: 'assumed' as const,
        source: 'override',
        range: [text, text] as [string, string],
      };
      const parsed = toQuantity(entry, dimensionOf(name));
      provenance[name] = parsed;
      numbers[name] = parsed.value;
    } catch (error) {
      throw new UsageError(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return {
    ...stack,
    numbers: { ...stack.numbers, ...numbers },
    provenance: { ...stack.provenance, ...provenance },
  };
}

/** One dispatch per operator; `place` says where each runs. */
export function groupPerOp(graph: OpGraph, place: (op: Op) => Device): DispatchGroup[] {
  return graph.ops.map((op) => ({ device: place(op), ops: [op] }));
}
