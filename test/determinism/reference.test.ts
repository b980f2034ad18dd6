import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ResultStore } from '../../experiments/lab/store.js';
import { runAll } from '../../experiments/lab/study.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { POLICY_NAMES, policyByName, policySpecByName } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { createNpuNumericsEngine } from '../../src/engine/npu-numerics/engine.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { writeOnnx } from '../../src/onnx/write-onnx.js';
import { generateProblem } from '../../src/score/problems.js';
import { medianInterval } from '../../src/score/statistics/samples.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

/**
 * Bytes that must be the same on every machine, for good: a change of them is a change of results, and is said in the
 * changelog. `DLLM_WRITE_HASHES=1 npx vitest run test/determinism` writes them anew. Times of machines are not among
 * them: they have tests of their own and change whenever a model of a machine gets better.
 */
const FILE = new URL('../golden/determinism.json', import.meta.url);
const writes = process.env.DLLM_WRITE_HASHES !== undefined;
const golden = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, string>;

function matches(name: string, content: unknown): void {
  const bytes = content instanceof Uint8Array ? content : JSON.stringify(content);
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (writes) {
    golden[name] = hash;
    const sorted = Object.fromEntries(Object.entries(golden).sort(([a], [b]) => (a < b ? -1 : 1)));
    writeFileSync(FILE, `${JSON.stringify(sorted, null, 1)}\n`);
  }
  expect(
    hash,
    `${name} (if it is new, or meant to change: DLLM_WRITE_HASHES=1 npx vitest run test/determinism)`,
  ).toBe(golden[name]);
}

const config = tinyConfig();
const weights = () => randomWeights(config, 7);
const promptIds = [0, 10, 11, 12, 13, 4];

describe('the same bytes on every machine', () => {
  it('decodes of every policy: rows, tokens and confidences, on WebAssembly and on plain JavaScript', async () => {
    const all: Record<string, unknown> = {};
    for (const backend of ['wasm', 'cpu'] as const) {
      await useBackend(backend);
      const engine = await createTfjsEngine(config, weights(), { backend });
      for (const name of backend === 'wasm' ? POLICY_NAMES : ['llada.cpp']) {
        const blockLength = Math.min(policyByName(name).spec.blockLength, 8);
        const policy = composePolicy(parsePolicySpec({ ...policySpecByName(name), blockLength }));
        const { steps, tokens } = await decode({ policy, engine, promptIds, genLength: 2 * blockLength });
        matches(`decode ${backend} ${name}`, steps);
        all[`${backend} ${name}`] = tokens;
      }
      engine.dispose();
    }
    // One arithmetic, two orders of sums: the same text.
    expect(all['cpu llada.cpp']).toEqual(all['wasm llada.cpp']);
  });

  it("a decode in the NPU's arithmetic", async () => {
    await useBackend('wasm');
    const engine = await createNpuNumericsEngine(config, weights());
    const policy = composePolicy(parsePolicySpec({ ...policySpecByName('llada.cpp'), blockLength: 8 }));
    const { steps } = await decode({ policy, engine, promptIds, genLength: 8 });
    matches('decode npu-numerics', steps);
    engine.dispose();
  });

  it('weight files and graphs that are written', async () => {
    const directory = temporaryDirectory();
    const wide = tinyConfig({ hidden: 256, headDim: 64, ffn: 512, vocab: 64 });
    for (const quant of ['q4_0', 'q8_0', 'f16'] as const) {
      const path = join(directory, `${quant}.gguf`);
      await writeModelGguf(wide, randomWeights(wide, 7), path, quant, new Map());
      matches(`gguf ${quant}`, readFileSync(path));
    }
    await writeOnnx(config, weights(), join(directory, 'm.onnx'));
    matches('onnx', readFileSync(join(directory, 'm.onnx')));
  });

  it('runs: the shipped model and the confidence process, as they are stored', async () => {
    const wanted = ['tiny-llada', 'synthetic:hard'].map((workload) => ({
      kind: 'decide',
      config: { workload, policy: 'threshold', cases: 1, genLength: 32, seed: 3 },
    }));
    const records = await runAll(wanted, { store: new ResultStore(temporaryDirectory()), jobs: 0 });
    for (const { config: asked, metrics, detail } of records)
      matches(`run ${asked.workload}`, { metrics, detail });
    expect(records.map(({ detail }) => (detail as { sameBits: string | null }).sameBits)).toEqual([
      'on every machine',
      null,
    ]);
  });

  it('are not promised of native kernels, and every record says so', async () => {
    const setup = { policy: 'threshold', cases: 1, genLength: 32, seed: 3 };
    const wanted = (['decide', 'decode', 'verify'] as const).flatMap((kind) =>
      (['tfjs', 'ort'] as const).map((engine) => ({
        kind,
        config: { ...setup, workload: 'tiny-llada', engine },
      })),
    );
    const records = await runAll(wanted, { store: new ResultStore(temporaryDirectory()), jobs: 0 });
    expect(records.map(({ detail }) => (detail as { sameBits: string }).sameBits)).toEqual(
      wanted.map(({ config: asked }) => (asked.engine === 'ort' ? 'on one machine' : 'on every machine')),
    );
  });

  it('problems and intervals', () => {
    matches(
      'problems',
      Array.from({ length: 50 }, (_, at) => generateProblem(1, at, 'long', 'heldout')),
    );
    matches('interval', medianInterval([3, 1, 4, 1, 5, 9, 2, 6], 7));
  });
});
