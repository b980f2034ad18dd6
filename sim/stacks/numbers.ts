import { z } from 'zod';
import type { Dimension } from '../hardware/quantity.js';
import { quantity } from '../hardware/quantity.js';

interface Definition {
  readonly dimension: Dimension;
  readonly definition: string;
}

const count = (definition: string): Definition => ({ dimension: 'count', definition });
const bytes = (definition: string): Definition => ({ dimension: 'bytes', definition });
const time = (definition: string): Definition => ({ dimension: 'time', definition });

/** The numbers of a software stack, in the order of reports. */
export const STACK_NUMBERS = {
  chunkWeights: count('dequantized weights one pipeline chunk holds in TCM'),
  attentionKeys: count('keys one attention chunk holds in TCM'),
  attentionRows: count(
    'query rows that meet a key chunk together where keys come from DRAM for each of them; at least a matrix step',
  ),
  streamChunkBytes: bytes('what a vector operator streams per chunk'),
  normOps: count('vector instructions per register of RMSNorm'),
  ropeOps: count('vector instructions per register of RoPE'),
  swigluOps: count('vector instructions per register of SwiGLU'),
  addOps: count('vector instructions per register of an addition'),
  cpuThreads: count('CPU threads of main-path operators (head, or everything on a CPU stack)'),
  refreshThreads: count('CPU threads of refresh passes beside the main path'),
  headSpeedup: count(
    'how many times faster than dot products the vocabulary projection is on the CPU; 1 is the same kernel',
  ),
  gemmSpeedup: count(
    'how many times faster than dot products a matrix product of several rows is on the CPU; 1 decodes weights per row',
  ),
  rowsSpeedup: count(
    'how many times faster a row is on the CPU in attention and element-wise operators when several are processed together; 1 is as one alone',
  ),
  cpuSustained: count("share of the CPU's arithmetic that is left in a long run; 1 is a cool phone"),
  samplePerLogitMs: time('CPU time of softmax and confidence for one logit on one thread'),
  cpuBarrierMs: time('starting and joining the CPU threads for one operator'),
  passHostMs: time(
    'what the host does for a pass beside operators: inputs, scheduling, waiting for the last result',
  ),
  splitMs: time('what it costs to go on with a graph on another processor, once for each change'),
  cpuWakeMs: time(
    'how much later CPU threads that slept while the NPU worked are through with the first operators that need them all, once a pass; near zero where they poll',
  ),
  maxBufferBytes: bytes('largest buffer of weights; the on-demand runtime maps whole buffers'),
  kvGrowthTokens: count('positions by which the KV cache grows'),
  slotBytes: bytes('upper size of one of the two staging slots'),
  matrixFromRows: count(
    'rows from which products use the matrix unit; those with fewer run on vector threads',
  ),
  overlapFromRows: count(
    'rows from which chunks overlap; with fewer, each is loaded, decoded, multiplied and stored before the next',
  ),
  decodeSpeed: count(
    "how fast weights are decoded, as a share of the profile's rate, which is that of a layout in the order of the matrix tiles",
  ),
  vectorIpc: count('vector instructions a thread ends per cycle, for work that is counted in instructions'),
  loneIpc: count('the same of a thread that works alone or beside few others'),
  forkMs: time('starting and joining the vector threads for one phase of an operator'),
  attentionFromRows: count(
    'query rows from which attention uses the matrix unit, where it differs from products',
  ),
  dmaRowBytes: bytes(
    'what a short piece of a strided DMA transfer costs at least: pieces that lie apart in DRAM do not reach the rate of a stream',
  ),
  softmaxSpeed: count(
    "how fast a softmax is, as a share of the fused F16 kernel that the profile's exponential comes from",
  ),
  rowTiles: count('hardware row tiles that one matrix step takes; a pass is padded to as many rows'),
  matrixRate: count("multiply-accumulates per cycle of this stack's number format, FP16 = 1"),
  vectorMacsPerCycle: count(
    '8-bit multiply-accumulates of a vector thread per cycle, unpacking of 4-bit weights included',
  ),
  vectorQ8MacsPerCycle: count('the same for 8-bit weights, which need no unpacking'),
  vectorF16MacsPerCycle: count('FP16 multiply-accumulates of a vector thread per cycle'),
  vectorQuantPerCycle: count(
    'activations a vector thread turns into 8-bit blocks per cycle, for vector products',
  ),
  q4Layout: count("bytes 4-bit weights take in this stack's layout, as a share of their GGUF size"),
  q8Layout: count("bytes 8-bit weights take in this stack's layout, as a share of their GGUF size"),
  opStartMs: time(
    'what an operator costs on the NPU before its first chunk: starting and joining the worker threads',
  ),
  batchOps: count('operators of one dispatch at most'),
  prefillRows: count('a prompt is processed in passes of at most this many rows'),
} as const satisfies Readonly<Record<string, Definition>>;

export type StackNumber = keyof typeof STACK_NUMBERS;

/** Numbers of a software stack, in base units (bytes, ms); each keeps its provenance in `SoftwareStack.provenance`. */
export type StackNumbers = Readonly<Record<StackNumber, number>>;

/** Names in order. */
export const STACK_NUMBER_NAMES = Object.keys(STACK_NUMBERS) as StackNumber[];

type NumberSchema = z.ZodOptional<ReturnType<typeof quantity>>;

/** The numbers that a file gives; those it leaves out are its parent's. */
export const stackNumbersSchema = z.strictObject(
  Object.fromEntries(
    STACK_NUMBER_NAMES.map((name) => [
      name,
      quantity(STACK_NUMBERS[name].dimension).optional().describe(STACK_NUMBERS[name].definition),
    ]),
  ) as Record<StackNumber, NumberSchema>,
);
