import type {
  AblationRow,
  AblationSummary,
  Carpet,
  CarpetStep,
  Timeline,
} from '../../experiments/studies/ladder/types.js';
import { wilson } from '../../src/score/statistics/proportion.js';

/**
 * A made-up ablation, shaped like a real one. Nothing in it was measured or simulated: it exists to test printers,
 * figures and the report.
 */

const ROWS: readonly [name: string, seconds: number, nfe: number, paper: number][] = [
  ['CPU', 2800, 128, 2996.2],
  ['CPU + prefix KV', 590, 132, 607],
  ['NPU', 333, 128, 341.2],
  ['NPU + prefix KV', 95, 132, 87],
  ['+ SOMR', 75, 132, 71.6],
  ['+ MBSD', 66, 118, 59.8],
  ['+ STS', 17, 31, 16.4],
  ['+ SLS', 16.2, 31, 15.8],
  ['+ SCR', 16.6, 31.4, 16.1],
];

function row(index: number): AblationRow {
  const [name, seconds, nfe, paper] = ROWS[index]!;
  const spread = index < 5 ? 0 : 0.08;
  const npu = index >= 2;
  const previous = index === 0 ? null : ROWS[index - 1]!;
  return {
    name,
    policy: npu ? 'synthetic' : 'synthetic-cpu',
    stack: npu ? 'llada.cpp' : 'cpu',
    memory: npu ? 'somr' : 'unlimited',
    latency_s: {
      median: seconds,
      low: seconds * (1 - spread),
      high: seconds * (1 + spread),
      samples: [seconds * (1 - spread), seconds, seconds * (1 + spread)],
    },
    speedup: { vsPrevious: previous === null ? null : previous[1] / seconds, vsCpuKv: 590 / seconds },
    forwards: { mean: nfe, denoise: nfe - 1, prefill: 1, seal: 0, refresh: index === 8 ? 12.5 : 0 },
    tokens_per_forward: { all: 128 / nfe, text: 100 / nfe },
    utilization: {
      matrix: npu ? 0.62 : 0,
      vector: npu ? 0.81 : 0,
      dma: npu ? 0.44 : 0,
      cpu: npu ? 0.12 : 1,
      dram: 0.3,
      usefulRows: npu ? 0.9 : null,
    },
    mapped_bytes_per_step: npu ? 3.4e9 : null,
    staged_bytes_per_step: npu ? 5e8 : null,
    accuracy: { whole: wilson(18, 20), perTask: { sort: wilson(39, 40), count: wilson(30, 40) } },
    token_exact:
      index < 5
        ? { verdict: 'exact', against: 'CPU + prefix KV' }
        : {
            verdict: 'not-expected',
            against: 'CPU + prefix KV',
            reason: 'several tokens are committed at once',
            agreement: 0.97,
            firstDivergence: { prompt: 3, position: 41, step: 12, expected: ' a', got: ' b' },
          },
    paper_s: paper,
    paper_speedup: {
      vsPrevious: previous === null ? null : previous[3] / paper,
      vsCpuKv: 607 / paper,
    },
    paperKind: 'predicted',
  };
}

/** Positions settle left to right with some scatter; block 2 holds drafts while block 1 finishes. */
export function syntheticCarpet(genLength = 64, blockLength = 32): Carpet {
  const pieces = ['sort', ' the', ' words', ' ;', ' 12', ' red', '<eos>'];
  const commit = Array.from({ length: genLength }, (_, p) => 1 + Math.floor(p / 4) + ((p * 7) % 5));
  const last = Math.max(...commit) + 2;
  const steps: CarpetStep[] = Array.from({ length: last }, (_, step) => {
    const block = Math.min(Math.floor((step * 4) / blockLength), genLength / blockLength - 1);
    const stateOf = (p: number) => {
      const age = step - commit[p]!;
      if (age >= 2) return 'S';
      if (age >= 0) return 'V';
      return p < (block + 1) * blockLength ? 'I' : 'M';
    };
    const states = commit.map((_, p) => stateOf(p)).join('');
    return {
      step,
      endMs: step === 0 ? 480 : 480 + step * 410.5,
      window: [block * blockLength, Math.min(genLength, (block + 1) * blockLength + 8)],
      states,
      tokens: [...states].map((state, p) => ('VS'.includes(state) ? (p > 55 ? 6 : p % 6) : -1)),
      drafts: [...states].flatMap((state, p): [number, number][] =>
        state === 'M' && p % 9 === 1 && p < (block + 1) * blockLength + 8 ? [[p, p % 6]] : [],
      ),
      revised: [...states].flatMap((state, p) => (state === 'V' && p % 11 === 3 ? [p] : [])),
      refreshed: step % 7 === 6 ? [2] : [],
    };
  });
  return {
    row: '+ SCR',
    policy: 'llada.cpp',
    prompt: { index: 0, text: 'sort <b> & copy ; "red"' },
    expected: 'sort the words ; 12 red',
    genLength,
    blockLength,
    pieces,
    endPiece: 6,
    steps,
  };
}

export function syntheticTimeline(layers = 32): Timeline {
  const spans: Timeline['spans'] = [];
  const perLayer = 14;
  const ops: [string, string, string, number, number][] = [
    ['dma', 'load', 'q', 0, 1.2],
    ['vector', 'dequantize', 'q', 0.4, 3],
    ['matrix', 'attention projections', 'q', 1, 3.1],
    ['vector', 'attention', 'attention', 3.2, 4.1],
    ['dma', 'load', 'ffn', 3, 6],
    ['vector', 'dequantize', 'ffn', 4.2, 13.5],
    ['matrix', 'ffn', 'ffn', 4.6, 13.6],
    ['driver', 'map', 'dispatch', 0, 0.15],
    ['driver', 'dispatch', 'dispatch', 4, 4.1],
  ];
  for (let layer = 0; layer < layers; layer++) {
    for (const [lane, name, group, start, end] of ops) {
      const at = layer * perLayer;
      spans.push({ lane, name, group, layer, startMs: at + start, endMs: at + end });
    }
  }
  const body = layers * perLayer;
  spans.push({ lane: 'cpu', name: 'head', group: 'head', layer: null, startMs: body, endMs: body + 30 });
  return {
    row: '+ SCR',
    prompt: 0,
    step: 5,
    durationMs: body + 30,
    lanes: ['matrix', 'vector', 'dma', 'driver', 'cpu'],
    spans,
  };
}

export function syntheticSummary(): AblationSummary {
  return {
    schema: 'dllm-npu/ablation@1',
    command: 'synthetic data: made by test/experiments/synthetic-summary.ts',
    configHash: '0'.repeat(64),
    version: '0.0.0',
    node: 'v20.0.0',
    seed: 1,
    engine: 'synthetic',
    model: { name: 'synthetic-model', sha256: '1'.repeat(64), params: 1_048_576 },
    costModel: { name: 'synthetic-8b', quant: 'q4_0' },
    profile: {
      name: 'synthetic-soc',
      sha256: '2'.repeat(64),
      fittedOrAssumed: [
        { name: 'map.fixed', kind: 'assumed', value: '1 ms', source: 'none', range: '0 ms .. 5 ms' },
      ],
      all: [
        { name: 'map.fixed', kind: 'assumed', value: '1 ms', source: 'none', range: '0 ms .. 5 ms' },
        { name: 'dma.rate', kind: 'vendor', value: '60 GB/s', source: 'arXiv:0000.00000' },
      ],
    },
    stack: 'cpu, llada.cpp',
    prompts: { set: 'synthetic', seed: 7, count: 20, firstIndex: 0, genLength: 64, blockLength: 32 },
    rows: ROWS.map((_, index) => row(index)),
    carpet: [syntheticCarpet()],
    timeline: [syntheticTimeline()],
    notes: ['This is synthetic data.'],
  };
}
