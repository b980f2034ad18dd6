import { QUANTS, type Quant } from '../../src/model/precision.js';
import { isPresetName } from '../../src/model/presets.js';
import type { MemoryMode } from '../memory/runtime.js';
import { stackAtThread } from '../stacks/registry.js';
import { type KernelShape, parseKernel } from './kernel-shape.js';
import type { PublishedRow } from './published.js';

export type Work =
  /** `compiled`: positions a static graph was compiled for. */
  | { readonly kind: 'prefill'; readonly tokens: number; readonly context: number; readonly compiled: number }
  | { readonly kind: 'decode'; readonly sequences: number; readonly context: number }
  | { readonly kind: 'kernel'; readonly kernel: KernelShape };

/** A measurement as something the machine can time. Rules look at what a row says, never at which row it is. */
export interface Case {
  readonly profile: string;
  readonly stack: string;
  readonly model: string | null;
  readonly quant: Quant;
  /** Of the head, where the row names another format than for the body. */
  readonly headQuant: Quant;
  readonly memory: MemoryMode;
  /** CPU threads, where the row names them. */
  readonly threads: number | null;
  /** Most rows of a prompt pass, where the row names them. */
  readonly passRows: number | null;
  /** CPU threads poll between operators, as the Snapdragon scripts of llama.cpp let them. */
  readonly polls: boolean;
  readonly work: Work;
}

export type Interpretation = { readonly case: Case } | { readonly reason: string };

class NotModelled extends Error {}

/** What to time for a published row, or why it cannot be timed. */
export function interpret(row: PublishedRow): Interpretation {
  try {
    const stack = stackOf(row);
    const work = workOf(row, stack);
    const quant = quantOf(row.quant);
    return {
      case: {
        profile: profileOf(row),
        stack,
        model: work.kind === 'kernel' ? null : modelOf(row.model),
        quant,
        headQuant: /fp16 lm_head/i.test(row.quant) ? 'f16' : quant,
        memory: memoryOf(row, stack),
        threads: threadsOf(row.engine),
        passRows: passRowsOf(row.engine),
        // Those who develop the backend run it by its scripts.
        polls: /ggml-org\/llama\.cpp\/pull\/|llama\.cpp docs/.test(row.source),
        work,
      },
    };
  } catch (error) {
    if (error instanceof NotModelled) return { reason: error.message };
    throw error;
  }
}

const PROFILE_OF_SOC: Readonly<Record<string, string>> = {
  SM8550: 'sm8550',
  SM8650: 'sm8650',
  SM8750: 'sm8750',
  SM8850: 'sm8850',
  X1E80100: 'x-elite',
  'X1E-80-100': 'x-elite',
};

/** Phone chip of an NPU generation, for rows that name only that. */
const PROFILE_OF_ARCH: Readonly<Record<string, string>> = { v75: 'sm8650', v79: 'sm8750', v81: 'sm8850' };

function profileOf({ soc, npu_arch: arch }: PublishedRow): string {
  const named = PROFILE_OF_SOC[soc.trim().toUpperCase()];
  if (named !== undefined) return named;
  // The first generation a source names; V73 is in phones and laptops, which differ too much.
  const [generation = ''] = /v\d+/i.exec(arch) ?? [];
  const profile = /^(unstated|)$/i.test(soc.trim()) ? PROFILE_OF_ARCH[generation.toLowerCase()] : undefined;
  if (profile === undefined) throw new NotModelled(`no profile for SoC "${soc}"`);
  return profile;
}

/** The runtime of arXiv:2606.13740 swaps beside the NPU unless the row says that it does not. */
function memoryOf({ engine }: PublishedRow, stack: string): MemoryMode {
  if (stack === 'llada.cpp') return /on-demand|without somr|no somr/i.test(engine) ? 'on-demand' : 'somr';
  return stack.startsWith('llama.cpp-hexagon') ? 'on-demand' : 'unlimited';
}

/** Which software stack an engine is timed as. The first rule that fits counts. */
function stackOf({ engine, quant, source }: PublishedRow): string {
  if (/->|split/i.test(engine)) throw new NotModelled('split between processors');
  if (/\bcpu-npu\b/i.test(engine) || /llm\.npu/i.test(engine)) return 'llm.npu';
  if (/opencl|adreno|\bgpu\b|vulkan|\bmlc\b/i.test(engine)) return 'gpu';
  if (/\bcpu\b|xnnpack|kleidiai/i.test(engine)) return cpuStackOf(engine, quant);
  if (/llada\.cpp/i.test(engine)) return 'llada.cpp';
  if (/t-man/i.test(engine)) return 't-man';
  if (/htp-ops|test-time scaling/i.test(engine)) return 'htp-ops';
  // HeteroLLM: FP16 products of 4-bit weights in QNN graphs; its other modes share an operator with the GPU.
  if (/hetero/i.test(engine)) {
    if (/npu[- ]?only/i.test(engine)) return 'qnn-fp16';
    throw new NotModelled('split between processors');
  }
  if (/fastrpc/i.test(engine)) return 'llama.cpp-fastrpc';
  if (/llama\.cpp/i.test(engine) && /hexagon|htp|npu/i.test(engine)) {
    return hexagonStackOf(engine, source);
  }
  if (/mnn.*(hexagon|npu)/i.test(engine)) return 'mnn-hexagon';
  if (/hexkl|nntrainer/i.test(engine)) return 'nntrainer';
  if (/qnn|genie|executorch|powerserve|litert/i.test(engine)) {
    if (/fp16 act|^fp16$/i.test(quant)) return 'qnn-fp16';
    return /w\d+a8/i.test(quant) ? 'qnn-a8' : 'qnn';
  }
  throw new NotModelled(`no software stack for engine "${engine}"`);
}

/** The state of llama.cpp's backend by the number of the thread a row comes from; HVX only until #20693. */
function hexagonStackOf(engine: string, source: string): string {
  const thread = /ggml-org\/llama\.cpp\/(?:pull|issues|discussions)\/(\d+)/.exec(source)?.[1];
  if (thread === undefined) return /hvx/i.test(engine) ? 'llama.cpp-hexagon@2026-02' : 'llama.cpp-hexagon';
  const number = Number(thread);
  return stackAtThread('llama.cpp-hexagon', /hvx/i.test(engine) ? Math.min(number, 20_692) : number);
}

/** Which CPU kernels: llama.cpp decodes weights once per row unless they are repacked for matrix instructions. */
function cpuStackOf(engine: string, quant: string): string {
  if (/\bmnn\b/i.test(engine)) return 'mnn-cpu';
  const matrixKernels = /xnnpack|kleidiai|executorch|repack/i.test(engine) || /q4_0_\d_\d/i.test(quant);
  return matrixKernels ? 'cpu-gemm' : 'cpu';
}

/**
 * K-quants cost what Q4_0 costs within 8 % of the bytes, and MXFP4 what its tiles do (640 B, as Q4_0's); per-channel formats
 * differ in the stack's layout.
 */
function quantOf(text: string): Quant {
  const exact = QUANTS.find((quant) => quant === text.trim().toLowerCase());
  if (exact !== undefined) return exact;
  if (/mixed/i.test(text)) throw new NotModelled(`quantization "${text}" is not modelled`);
  if (/^w8|^q8|^int8|8-bit|a8w\b/i.test(text)) return 'q8_0';
  if (/^b?fp?16/i.test(text)) return 'f16';
  if (/^w4|q4_|k-quant|4-bit|i4$|^int4|a4w\b|spinquant|qlora|mxfp4/i.test(text)) return 'q4_0';
  throw new NotModelled(`quantization "${text}" is not modelled`);
}

/** Fine-tunes whose names sources write in many ways, with the model they have the shapes of. */
const FINE_TUNES: readonly (readonly [RegExp, string])[] = [
  [/(taide|elyza).*8b/, 'llama-3-8b'],
  [/sea-lion.*8b/, 'llama-3.1-8b'],
  [/granite.*8b/, 'granite-3.1-8b'],
];

function modelOf(text: string): string {
  const name = text
    .toLowerCase()
    .replace(/\(.*\)/, '')
    .replace(/-?(instruct|chat|it|v\d\.\d)\b/g, '')
    .replace(/^meta-/, '')
    .replace(/^llama-v/, 'llama-')
    .trim()
    .replace(/[\s_]+/g, '-')
    .replace(/-+$/, '');
  if (isPresetName(name)) return name;
  const base = FINE_TUNES.find(([pattern]) => pattern.test(name))?.[1];
  if (base === undefined) throw new NotModelled(`no graph for model "${text}"`);
  return base;
}

function threadsOf(engine: string): number | null {
  const match = /\bt(\d+)\b|(\d+) threads/.exec(engine);
  return match === null ? null : Number(match[1] ?? match[2]);
}

/** llama.cpp's `--ubatch-size`, written `ub1024`. */
function passRowsOf(engine: string): number | null {
  const match = /\bub(?:atch)?[ =]?(\d+)\b/.exec(engine);
  return match === null ? null : Number(match[1]);
}

function workOf(row: PublishedRow, stack: string): Work {
  switch (phaseOf(row.phase)) {
    case 'prefill': {
      const tokens = count(row.batch_or_tokens, 'the number of prompt tokens');
      return { kind: 'prefill', tokens, context: 0, compiled: compiledFor(row, stack) };
    }
    case 'decode': {
      const sequences = count(row.batch_or_tokens, 'the number of sequences');
      return { kind: 'decode', sequences, context: contextOf(row.context, stack.startsWith('qnn')) };
    }
    case 'kernel': {
      const kernel = parseKernel(row.model);
      if (kernel === null) throw new NotModelled(`the shape of kernel "${row.model}" is not understood`);
      return { kind: 'kernel', kernel };
    }
    case 'energy':
      throw new NotModelled('energy of a whole device: the source gives no number of generated tokens');
    case 'denoise': {
      // All rows get logits; without a stated context there is no cached prefix, as in Table 2 of arXiv:2606.13740.
      const sequences = count(row.batch_or_tokens, 'the number of rows of the step');
      const stated = /\d/.test(row.context);
      return { kind: 'decode', sequences, context: stated ? contextOf(row.context, false) : 0 };
    }
    default:
      throw new NotModelled(`a ${row.phase} measurement is not modelled`);
  }
}

/** `diffusion step`, `denoising step` and the like are one word here. */
function phaseOf(text: string): string {
  return /denois|diffusion|\bstep\b/i.test(text) ? 'denoise' : text.trim().toLowerCase();
}

/** Qualcomm AI Hub exports Genie graphs for a context of 4096 positions (`--context-length`). */
const GENIE_CONTEXT = 4096;

/** Positions the graph behind a prompt measurement was compiled for; 0 when the source gives no more than the prompt. */
function compiledFor({ context, engine, metric, source }: PublishedRow, stack: string): number {
  if (!stack.startsWith('qnn')) return 0;
  const bound = /^<=\s*(\d+)$/.exec(context);
  if (bound !== null) return Number(bound[1]);
  // One chunk of a longer context; "full context" rows state theirs.
  return /genie/i.test(engine) && /chunk/i.test(metric) && /ai-hub/i.test(source) ? GENIE_CONTEXT : 0;
}

function count(text: string, what: string): number {
  if (!/^\d+$/.test(text.trim())) throw new NotModelled(`${what} is not stated ("${text}")`);
  return Number(text);
}

/**
 * Cached positions of a decode: the middle of a range, half of a generation, half of an upper bound; a compiled
 * graph attends to the upper bound it was compiled for.
 */
function contextOf(text: string, compiled: boolean): number {
  const bound = /^<=\s*(\d+)$/.exec(text);
  if (bound !== null) return compiled ? Number(bound[1]) - 1 : Math.floor(Number(bound[1]) / 2);
  const range = /^(\d+)-(\d+)$/.exec(text);
  if (range !== null) return Math.floor((Number(range[1]) + Number(range[2])) / 2);
  const generated = /^gen (\d+)$/.exec(text);
  if (generated !== null) return Math.floor(Number(generated[1]) / 2);
  return count(text, 'the context length');
}
