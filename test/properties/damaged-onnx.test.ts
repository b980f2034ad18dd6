import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, it } from 'vitest';
import { openSession } from '../../src/engine/ort/runtime.js';
import { decodeModel, encodeModel, type ModelProto } from '../../src/onnx/onnx-proto.js';
import { writeOnnx } from '../../src/onnx/write-onnx.js';
import { readsOrRefuses, reportDraws } from '../support/reader-limits.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

/** Cases; `npm run fuzz` raises it. A session takes milliseconds. */
const RUNS = Math.ceil(Number(process.env.DLLM_FUZZ_RUNS ?? 60));

const config = tinyConfig({ layers: 1, vocab: 33, hidden: 8, heads: 2, kvHeads: 2, headDim: 4, ffn: 8 });
const directory = temporaryDirectory();
const { path } = await writeOnnx(config, randomWeights(config), join(directory, 'm.onnx'));
const bytes = readFileSync(path);
const model = decodeModel(bytes);

const NUMBERS = [0, -1, 1, 2, 7, 99, 2 ** 31 - 1, 2 ** 40, 2 ** 53 - 1];
const TEXTS = [
  '',
  'x',
  '../../../../etc/passwd',
  '\u0000',
  'a'.repeat(100_000),
  'ai.onnx.ml',
  'Gemm',
  'Loop',
  'ids',
  'logits',
];

/** A graph with one number, text, list or entry of a list changed. */
function changed(choice: number, number: number, text: string): Uint8Array {
  const copy = structuredClone(model);
  const changes: (() => void)[] = [];
  const visit = (node: object): void => {
    const parent = node as Record<string, unknown>;
    for (const key of Object.keys(parent)) {
      const value = parent[key];
      if (typeof value === 'number')
        changes.push(() => {
          parent[key] = number;
        });
      else if (typeof value === 'string')
        changes.push(() => {
          parent[key] = text;
        });
      else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
        if (Array.isArray(value)) {
          changes.push(() => value.splice(choice % (value.length + 1), 1));
          changes.push(() => value.push(...value.slice(0, 1 + (choice % 3))));
          changes.push(() => value.reverse());
        }
        visit(value);
      }
    }
  };
  visit(copy.graph);
  changes[choice % changes.length]();
  return encodeModel(copy as ModelProto);
}

const damagedModel = fc.oneof(
  fc
    .record({ choice: fc.nat(), number: fc.constantFrom(...NUMBERS), text: fc.constantFrom(...TEXTS) })
    .map(({ choice, number, text }) => changed(choice, number, text)),
  fc
    .record({
      at: fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      keep: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true })),
    })
    .map(({ at, keep }) => {
      const damage = Buffer.from(bytes);
      for (const [place, value] of at) damage[place] = value;
      return damage.subarray(0, Math.floor(keep * damage.length));
    }),
);

const installed = await import('onnxruntime-node').then(
  () => true,
  () => false,
);

describe.skipIf(!installed)('a damaged ONNX file is opened, or refused with its path (property)', () => {
  afterAll(reportDraws);
  it('by the runtime', async () => {
    const there = join(directory, 'damaged.onnx');
    await fc.assert(
      fc.asyncProperty(damagedModel, async (damage) => {
        writeFileSync(there, damage);
        await readsOrRefuses('ONNX', async () => (await openSession(there, 1)).release(), there);
      }),
      { numRuns: RUNS },
    );
  });
});
