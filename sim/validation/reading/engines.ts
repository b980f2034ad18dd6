import { ownMemory } from '../../memory/own-mode.js';
import type { MemoryMode } from '../../memory/runtime.js';
import { stackByName } from '../../stacks/registry.js';
import type { PublishedRow } from '../published.js';
import { formatSaid } from './formats.js';
import { dateOf, type EngineReading, hexagonStacks, threadOf } from './generations.js';
import { NotModelled } from './refusal.js';

const one = (stack: string): EngineReading => ({ stacks: [stack], note: null, unfamiliar: false });
const like = (stack: string, engine: string): EngineReading => ({
  stacks: [stack],
  note: `"${engine}" is timed as ${stack}`,
  unfamiliar: true,
});

/** Programs around llama.cpp that run it on the CPU unless they say otherwise. */
const BINDINGS =
  /llama\.?cpp|llama[.-]?rn|node-llama|pocketpal|chatterui|lm ?studio|ollama|llamafile|kobold|layla|smolchat|maid|\bjan\b|gpt4all|termux|llama-cpp-python|llama-bench|cactus|ggml|aichat|private ?llm|off grid|inferra/i;

/** Engines whose kernels on this chip's GPU are not those of an NPU or a CPU. */
const GPU =
  /opencl|clblast|adreno|\bgpu\b|vulkan|turnip|freedreno|\bmlc(-llm)?\b|directml|\bdml\b|webgpu|webllm|mediapipe/i;

const COMPILED =
  /qnn|genie|executorch|powerserve|litert|neuropilot|onnx|\bort\b|snpe|ai[- ]?hub|aihub|nexa|npu sdk|phi silica|foundry|anythingllm|windows ml|qairt|gen-?ai inference|edge ?xpert|mllm/i;

/**
 * What an engine is timed as. The first rule that fits counts.
 * @throws NotModelled for a split between processors, or an engine that nothing tells
 */
export function engineOf(row: PublishedRow): EngineReading {
  const { quant } = row;
  // Some tables put the engine where the format belongs.
  const engine = /litert|executorch|qnn|genie/i.test(quant) ? `${row.engine} ${quant}` : row.engine;
  if (
    /->|split|rest (on )?(the )?cpu|partial(ly)?[ -]offload|hybrid.*(cpu|gpu)|cpu ?\+ ?gpu|npu ?\+ ?gpu|gpu ?\+ ?npu|hetero-?(tensor|layer)|powerinfer/i.test(
      engine,
    )
  ) {
    throw new NotModelled('split between processors');
  }
  if (/\bcpu-npu\b|npu\+cpu/i.test(engine) || /llm\.npu|mllm-npu/i.test(engine)) return one('llm.npu');
  const onCpu = /\bcpu\b/i.test(engine) && !/opencl|adreno|\bgpu\b|vulkan/i.test(engine);
  if (GPU.test(engine) && !onCpu)
    return /opencl|adreno|\bgpu\b|\bmlc/i.test(engine) ? one('gpu') : like('gpu', engine);
  if (/\bcpu\b|xnnpack|kleidiai|t-mac|bitnet\.cpp/i.test(engine)) return one(cpuStack(engine, quant));
  if (/llada\.cpp/i.test(engine)) return one('llada.cpp');
  if (/t-man/i.test(engine)) return one('t-man');
  if (/htp-ops|test-time scaling|llama\.cpp-npu/i.test(engine)) return one('htp-ops');
  // HeteroLLM: FP16 products of 4-bit weights in QNN graphs; its other modes share an operator with the GPU.
  if (/hetero/i.test(engine)) {
    if (/npu[- ]?only/i.test(engine)) return one('qnn-fp16');
    throw new NotModelled('split between processors');
  }
  if (/fastrpc|mempool/i.test(engine)) return one('llama.cpp-fastrpc');
  // Backends that hand single operators to QNN, not a compiled graph (chraac, zhouwg, ggml-qnn).
  if (/ggml-qnn|(llama\.?cpp|ggml|chraac|zhouwg).*\bqnn\b|\bqnn\b.*llama\.?cpp/i.test(engine))
    throw new NotModelled('single operators by QNN, not a compiled graph: no software stack');
  if (/\bmnn\b.*qnn/i.test(engine)) return compiled(quant, one);
  if (/mnn.*(hexagon|npu|htp)/i.test(engine)) return one('mnn-hexagon');
  if (/\bmnn\b/i.test(engine)) return like('mnn-cpu', engine);
  if (/hexkl|nntrainer/i.test(engine)) return one('nntrainer');
  if (/hexagon|\bhtp\d?\b/i.test(engine) && !COMPILED.test(engine)) {
    const reading = hexagonStacks(row);
    return BINDINGS.test(engine)
      ? reading
      : { ...reading, note: `"${engine}" is timed as llama.cpp's backend`, unfamiliar: true };
  }
  if (BINDINGS.test(engine) && /npu/i.test(engine)) return hexagonStacks(row);
  if (COMPILED.test(engine)) return compiled(quant, one);
  if (BINDINGS.test(engine)) {
    return {
      stacks: [cpuStack(engine, quant)],
      note: `"${engine}" names no processor: the CPU`,
      unfamiliar: false,
    };
  }
  if (/npu|dsp|\bhmx\b|\bhvx\b/i.test(engine)) return compiled(quant, (stack) => like(stack, engine));
  throw new NotModelled(`no software stack for engine "${row.engine}"`);
}

function compiled(quant: string, as: (stack: string) => EngineReading): EngineReading {
  if (/fp16 act|^b?fp?16$/i.test(quant)) return as('qnn-fp16');
  return as(/w\d+a8|\b8d?a[48]w|[48]w8d?a/i.test(quant) ? 'qnn-a8' : 'qnn');
}

/** Which CPU kernels, llama.cpp's aside (`cpuStacks`). */
function cpuStack(engine: string, quant: string): string {
  if (/\bmnn\b/i.test(engine)) return 'mnn-cpu';
  const matrixKernels =
    /xnnpack|kleidiai|executorch|repack|litert|mediapipe|t-mac/i.test(engine) ||
    /q4_0_\d_\d|iq4_nl/i.test(quant);
  return matrixKernels ? 'cpu-gemm' : 'cpu';
}

/**
 * Formats whose weights llama.cpp's CPU backend repacks for matrix instructions of ARM as it loads them, with the pull request and the
 * month from which on: 9921, 18096, 16739, 18860 and 18888. Measured there on a prompt: Q8_0 3.6 times as fast, Q4_K 1.6, Q6_K 2.1.
 */
const REPACKED: readonly (readonly [format: RegExp, thread: number, month: string, gains: 'all' | 'some'])[] =
  [
    [/q4_0|w4|\b4[- ]?bits?|int4/i, 9921, '2024-12', 'all'],
    [/q8_0|w8|int8|\b8[- ]?bits?/i, 18_096, '2026-01', 'all'],
    [/q4_k|k-quant/i, 16_739, '2025-12', 'some'],
    [/q[56]_k/i, 18_888, '2026-02', 'some'],
  ];

/**
 * llama.cpp's CPU kernels by format and date; where nothing tells the date, those of today, with the older ones in the range. K-quants
 * gain about half as much as the others, so both are in the range. llada.cpp has kernels of its own.
 */
export function cpuStacks(row: PublishedRow): readonly string[] {
  const said = formatSaid(row);
  const found = REPACKED.find(([format]) => format.test(said));
  if (/llada/i.test(row.engine) || found === undefined || /2024|2023|mid-/i.test(row.engine)) return ['cpu'];
  const [, thread, month, gains] = found;
  const [date, cited] = [dateOf(row), threadOf(row)?.number ?? null];
  const newer = date !== null ? date >= month : cited !== null ? cited >= thread : null;
  if (newer === false) return ['cpu'];
  if (gains === 'some') return ['cpu', 'llama.cpp-cpu'];
  return newer === null && thread > 9921 ? ['llama.cpp-cpu', 'cpu'] : ['llama.cpp-cpu'];
}

/** The runtime of arXiv:2606.13740 swaps beside the NPU unless the row says that it does not. */
export function memoryOf({ engine }: PublishedRow, stack: string): MemoryMode {
  const without = stack === 'llada.cpp' && /on-demand|without somr|no somr/i.test(engine);
  return without ? 'on-demand' : ownMemory(stackByName(stack));
}

/** CPU threads, where the row names them. */
export function threadsOf(engine: string): number | null {
  const match = /(?:\b|_)t(?:hreads)?[ =]?(\d+)\b|(\d+)[ -]?threads?\b|(\d+)[ -]?cores?\b|\b(\d)T\b/i.exec(
    engine,
  );
  return match === null ? null : Number(match[1] ?? match[2] ?? match[3] ?? match[4]);
}

/** llama.cpp's `--ubatch-size`, written `ub1024`. */
export function passRowsOf(engine: string): number | null {
  const match = /\bu_?b(?:atch)?(?:[-_]?size)?[ =]?(\d+)\b/.exec(engine);
  return match === null ? null : Number(match[1]);
}
