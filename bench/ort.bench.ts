/**
 * One denoising forward of a synthetic LLaDA of 1.4 G parameters in Q4_0 on two threads: ONNX Runtime against llama.cpp
 * and the wasm reference. Every round runs every engine once and the best round of each counts, so that the ratios hold
 * on a machine that does other things too (llama.cpp waits at a barrier after each operator: a thread that is held up
 * costs it more than ONNX Runtime, which hands out small pieces). Goals: at least 0.6 x llama.cpp, at least 5 x wasm.
 * DLLM_BENCH_THREADS sets another number of threads.
 *
 * One logits row of 32 does 1/32 of the head's multiplications, but reads all its weights: on a CPU that is memory-bound.
 *
 * wasm cannot address the whole model in f32 (5.6 GB): its rate is that of two layers of it and a small head.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bench, describe } from 'vitest';
import type { Pass } from '../src/decode/types.js';
import type { Engine } from '../src/engine/engine.js';
import { createOrtEngine } from '../src/engine/ort/engine.js';
import { openSession } from '../src/engine/ort/runtime.js';
import { createTfjsEngine } from '../src/engine/tfjs/engine.js';
import { parameterCount, passMacs } from '../src/model/closed-forms.js';
import type { ModelConfig } from '../src/model/config.js';
import { writeModelGguf } from '../src/model/formats/convert.js';
import { resolvePreset } from '../src/model/presets.js';
import { syntheticShapes } from '../src/model/synthetic/shapes.js';
import { syntheticWeights } from '../src/model/synthetic/weights.js';
import { ExternalData } from '../src/onnx/external-data.js';
import { OnnxBuilder } from '../src/onnx/onnx-builder.js';
import { encodeModel } from '../src/onnx/onnx-proto.js';
import { atomicWriteFile } from '../src/util/atomic-write.js';
import { formatTable } from '../src/util/table.js';
import { llamaMissing, loadLlama } from '../test/oracle/libllama.js';

const THREADS = Number(process.env.DLLM_BENCH_THREADS ?? 2);
const ROUNDS = { iterations: 6, warmupIterations: 1, time: 0, warmupTime: 0 };

const directory = mkdtempSync(join(tmpdir(), 'dllm-npu-bench-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));

interface Runner {
  readonly name: string;
  readonly gmacs: (rows: number) => number;
  readonly run: (rows: number) => Promise<Float32Array>;
}

let version = 0;

function denoise(rows: number, logits: number, vocab: number): Pass {
  version++;
  return {
    ...{ id: `${version}.0`, kind: 'denoise', lane: 'main', version, reads: [], visibility: 'all' },
    rows: Array.from({ length: rows }, (_, i) => ({ position: i, feed: (7919 * i) % vocab })),
    logits: Array.from({ length: logits }, (_, i) => i),
  };
}

function runner(name: string, engine: Engine): Runner {
  const { config } = engine;
  return {
    name,
    gmacs: (rows) => gmacsOf(config, rows),
    run: async (rows) => {
      const { logits } = await engine.run(denoise(rows, rows, config.vocab));
      engine.retain([]);
      return logits;
    },
  };
}

function gmacsOf(config: ModelConfig, rows: number): number {
  return passMacs(config, { rows, kvSets: [], logitsRows: rows, masked: false }) / 1e9;
}

/** f32 product [512, 2048] x [2048, 2048]: what the machine gives a plain GEMM on the same threads. */
async function peakRunner(): Promise<Runner> {
  const [rows, width] = [512, 2048];
  const onnx = new OnnxBuilder(new ExternalData(), '');
  const floats = new Float32Array(width * width).fill(0.5);
  onnx.input('x', 'f32', [rows, width]);
  onnx.constant('w', 'f32', [width, width], new Uint8Array(floats.buffer));
  onnx.output(onnx.node('Gemm', 'y', ['x', 'w'], { transB: 1 }), 'f32', [rows, width]);
  const path = join(directory, 'gemm.onnx');
  const { nodes: node, initializers: initializer, inputs: input, outputs: output } = onnx;
  const model = { irVersion: 8, producerName: 'bench', producerVersion: '', metadataProps: [] };
  const opsetImport = [{ domain: '', version: 18 }];
  atomicWriteFile(
    path,
    encodeModel({ ...model, opsetImport, graph: { name: 'gemm', node, initializer, input, output } }),
  );
  const session = await openSession(path, THREADS);
  const { Tensor } = await import('onnxruntime-node');
  const x = new Tensor('float32', new Float32Array(rows * width).fill(0.5), [rows, width]);
  const run = async () => (await session.run({ x })).y?.data as Float32Array;
  return { name: 'f32 GEMM (peak)', gmacs: () => (rows * width * width) / 1e9, run };
}

const config = syntheticShapes('llada', '1b');
const weights = syntheticWeights(config, 'q4_0', 1);
const path = join(directory, 'llada-1b.gguf');
await writeModelGguf(
  config,
  weights,
  path,
  'q4_0',
  new Map([['tokenizer.ggml.model', { type: 'string', value: 'none' }]]),
);

const shared = { threads: THREADS, weightsPath: path, cacheDirectory: directory };
const layers: ModelConfig = { ...config, name: 'two layers', layers: 2, vocab: 4096 };
const runners: Runner[] = [
  await peakRunner(),
  runner('ort, f32 activations', await createOrtEngine(config, weights, { ...shared, compute: 'f32' })),
  runner('ort, int8 activations', await createOrtEngine(config, weights, { ...shared, compute: 'int8' })),
  runner('tfjs-wasm (2 layers)', await createTfjsEngine(layers, syntheticWeights(layers, 'q4_0', 1))),
];
if (llamaMissing === null) {
  const llama = (await loadLlama()).open(path, { tokens: 128, threads: THREADS });
  const ids = (rows: number) => denoise(rows, 0, config.vocab).rows.map(({ feed }) => feed);
  runners.push({
    name: 'llama.cpp',
    gmacs: (rows) => gmacsOf(config, rows),
    run: async (rows) => llama.logits(ids(rows)),
  });
}

const best = (values: readonly number[] = []) => Math.min(...values);

describe.each([32, 128])('%i rows, all with logits', (rows) => {
  const seconds = new Map<string, number[]>(runners.map(({ name }) => [name, []]));
  const logits = new Map<string, Float32Array>();
  const print = () => {
    const rate = ({ name, gmacs }: Runner) => (2 * gmacs(rows)) / best(seconds.get(name));
    const rates = new Map(runners.map((one) => [one.name, rate(one)]));
    const share = (of: string, to: string) => {
      const base = rates.get(to);
      return base === undefined ? '-' : ((rates.get(of) ?? 0) / base).toFixed(2);
    };
    const columns = ['engine', 'ms', 'GFLOP/s', 'of peak', 'x llama.cpp', 'x wasm'].map((header, index) => ({
      header: [header],
      align: index === 0 ? ('left' as const) : ('right' as const),
    }));
    const table = runners.map(({ name }) => [
      ...[name, (1000 * best(seconds.get(name))).toFixed(0), (rates.get(name) ?? 0).toFixed(1)],
      ...[share(name, 'f32 GEMM (peak)'), share(name, 'llama.cpp'), share(name, 'tfjs-wasm (2 layers)')],
    ]);
    console.log(
      `\n${rows} rows, ${(parameterCount(config).total / 1e9).toFixed(2)} G parameters, ${THREADS} threads`,
    );
    console.log(formatTable(columns, table));
    for (const [a, b] of [
      ['ort, f32 activations', 'llama.cpp'],
      ['ort, int8 activations', 'ort, f32 activations'],
    ] as const) {
      const [x, y] = [logits.get(a), logits.get(b)];
      if (x !== undefined && y !== undefined) console.log(`${a} - ${b}: ${compare(x, y, config.vocab)}`);
    }
  };
  bench(
    'one round of all engines',
    async () => {
      for (const { name, run } of runners) {
        const began = performance.now();
        const result = await run(rows);
        seconds.get(name)?.push((performance.now() - began) / 1000);
        logits.set(name, result.slice());
      }
    },
    { ...ROUNDS, teardown: (_task, mode) => (mode === 'run' ? print() : undefined) },
  );
});

/** Largest difference of two sets of logits, and how many rows agree in their best token. */
function compare(a: Float32Array, b: Float32Array, vocab: number): string {
  let [worst, same] = [0, 0];
  const rows = a.length / vocab;
  for (let row = 0; row < rows; row++) {
    let [bestA, bestB] = [row * vocab, row * vocab];
    for (let i = row * vocab; i < (row + 1) * vocab; i++) {
      worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
      if (a[i]! > a[bestA]!) bestA = i;
      if (b[i]! > b[bestB]!) bestB = i;
    }
    same += bestA === bestB ? 1 : 0;
  }
  return `max difference ${worst.toFixed(4)}, best token equal in ${same} of ${rows} rows`;
}

describe("head of LLaDA-8B's vocabulary, 32 rows fed", async () => {
  const wide: ModelConfig = {
    ...resolvePreset('llada-8b'),
    name: 'head',
    layers: 1,
    ffn: 32,
    heads: 1,
    kvHeads: 1,
  };
  const open = async (vocab: number) => {
    const model = { ...wide, vocab };
    return createOrtEngine(model, syntheticWeights(model, 'q4_0', 1), { threads: THREADS });
  };
  const [full, none] = [await open(wide.vocab), await open(32)];
  const cases = [
    ['no head', none, 1],
    ['1 row', full, 1],
    ['32 rows', full, 32],
  ] as const;
  const seconds = new Map<string, number[]>(cases.map(([name]) => [name, []]));
  const print = () => {
    const of = (name: string) => best(seconds.get(name));
    const [one, all] = [of('1 row') - of('no head'), of('32 rows') - of('no head')];
    console.log(
      `\nhead: 1 row ${(1000 * one).toFixed(1)} ms, 32 rows ${(1000 * all).toFixed(1)} ms, ratio 1/${(all / one).toFixed(1)}`,
    );
  };
  bench(
    'one round of 1 and 32 logits rows',
    async () => {
      for (const [name, engine, logits] of cases) {
        const began = performance.now();
        await engine.run(denoise(32, logits, 32));
        seconds.get(name)?.push((performance.now() - began) / 1000);
        engine.retain([]);
      }
    },
    { ...ROUNDS, iterations: 15, teardown: (_task, mode) => (mode === 'run' ? print() : undefined) },
  );
});
