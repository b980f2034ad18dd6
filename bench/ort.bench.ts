/**
 * One denoising forward of a synthetic LLaDA of 1.4 G parameters in Q4_0 on two threads: ONNX Runtime against llama.cpp
 * and the wasm reference. Every round runs every engine once and the best round of each counts, so that the ratios hold
 * on a machine that does other things too (llama.cpp waits at a barrier after each operator: a thread that is held up
 * costs it more than ONNX Runtime, which hands out small pieces). Goals: at least 0.6 x llama.cpp, at least 5 x wasm.
 * DLLM_BENCH_THREADS sets another number of threads. llama.cpp always rounds activations to 8 bits, so `int8` is the
 * like-for-like row; `f32` is exact. Then the head at LLaDA-8B's vocabulary, and the agreement with llama.cpp.
 *
 * wasm cannot address the whole model in f32 (5.6 GB): its rate is that of two layers of it and a small head.
 */
import { join } from 'node:path';
import { bench, describe } from 'vitest';
import type { Engine } from '../src/engine/engine.js';
import { createOrtEngine } from '../src/engine/ort/engine.js';
import { openSession } from '../src/engine/ort/runtime.js';
import { createTfjsEngine } from '../src/engine/tfjs/engine.js';
import { parameterCount, passMacs } from '../src/model/closed-forms.js';
import type { ModelConfig } from '../src/model/config.js';
import { writeModelGguf } from '../src/model/formats/convert.js';
import { syntheticShapes } from '../src/model/synthetic/shapes.js';
import { syntheticWeights } from '../src/model/synthetic/weights.js';
import { ExternalData } from '../src/onnx/external-data.js';
import { OnnxBuilder } from '../src/onnx/onnx-builder.js';
import { encodeModel } from '../src/onnx/onnx-proto.js';
import { atomicWriteFile } from '../src/util/atomic-write.js';
import { formatTable } from '../src/util/table.js';
import { llamaMissing, loadLlama } from '../test/oracle/libllama.js';
import { agreementTable } from './ort/agreement.js';
import { agreement, best, columns, denoise, directory, THREADS } from './ort/common.js';
import { headTable } from './ort/head.js';

const ROUNDS = { iterations: 6, warmupIterations: 1, time: 0, warmupTime: 0 };

interface Runner {
  readonly name: string;
  readonly gmacs: (rows: number) => number;
  readonly run: (rows: number) => Promise<Float32Array>;
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

/** f32 product of two squares of 2048: what the machine gives a plain GEMM on the same threads. */
async function peakRunner(): Promise<Runner> {
  const [rows, width] = [2048, 2048];
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
    const headers = ['engine', 'ms', 'GFLOP/s', 'of peak', 'x llama.cpp', 'x wasm'];
    const table = runners.map(({ name }) => [
      name,
      (1000 * best(seconds.get(name))).toFixed(0),
      (rates.get(name) ?? 0).toFixed(1),
      share(name, 'f32 GEMM (peak)'),
      share(name, 'llama.cpp'),
      share(name, 'tfjs-wasm (2 layers)'),
    ]);
    console.log(
      `\n${rows} rows, ${(parameterCount(config).total / 1e9).toFixed(2)} G parameters, ${THREADS} threads`,
    );
    console.log(formatTable(columns(headers), table));
    for (const [a, b] of [
      ['ort, f32 activations', 'llama.cpp'],
      ['ort, int8 activations', 'ort, f32 activations'],
    ] as const) {
      const [x, y] = [logits.get(a), logits.get(b)];
      if (x === undefined || y === undefined) continue;
      const { worst, same, rows: all } = agreement(x, y, config.vocab);
      console.log(
        `${a} - ${b}: max difference ${worst.toFixed(4)}, best token equal in ${same} of ${all} rows`,
      );
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

// Each measures in rounds of its own; the harness only runs it once.
const ONCE = { iterations: 1, warmupIterations: 0, time: 0, warmupTime: 0 };

describe("head of LLaDA-8B's vocabulary", () => {
  bench('1 and 32 of 32 rows', async () => console.log(`\n${await headTable()}`), ONCE);
});

describe('agreement of logits, 32 rows', () => {
  bench('f32, Q8_0, Q4_0', async () => console.log(`\n${await agreementTable()}`), ONCE);
});
