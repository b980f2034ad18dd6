import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import type { GgufValue } from '../../src/model/formats/gguf-types.js';
import { loadModel } from '../../src/model/load.js';
import { llamaMissing, loadLlama } from '../oracle/libllama.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const RUNS = Number(process.env.DLLM_FUZZ_RUNS ?? 300);
if (llamaMissing !== null)
  process.stderr.write(`skipped: SentencePiece against llama.cpp, 2 tests: ${llamaMissing}\n`);

const LETTERS = [...'\u2581abcdefgo.,1é的'];
const WORDS = [
  '\u2581a',
  'ab',
  '\u2581ab',
  'de',
  'ed',
  '\u2581de',
  'go',
  'ood',
  'od',
  '\u2581go',
  '\u2581good',
  'cab',
  'ca',
];
const BYTES = Array.from(
  { length: 256 },
  (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
);
const tokens = ['<unk>', '<s>', '</s>', ...BYTES, ...WORDS, ...LETTERS];
const types = tokens.map((_, id) => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1));
const scores = tokens.map((_, id) => (id < 259 ? 0 : 258 - id));

function tokenizer(prefix: boolean): Map<string, GgufValue> {
  return new Map<string, GgufValue>([
    ['tokenizer.ggml.model', { type: 'string', value: 'llama' }],
    ['tokenizer.ggml.tokens', { type: 'array', element: 'string', value: tokens }],
    ['tokenizer.ggml.scores', { type: 'array', element: 'f32', value: scores }],
    ['tokenizer.ggml.token_type', { type: 'array', element: 'i32', value: types }],
    ['tokenizer.ggml.unknown_token_id', { type: 'u32', value: 0 }],
    ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: prefix }],
  ]);
}

const texts = fc
  .array(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.constantFrom('good', 'ab', ' ', 'de', 'ed', 'cab', 'é', '的', '1.', 'x', '🙂', '\n'),
      },
      { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 4 }) },
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((parts) => parts.join(''));

it.skipIf(llamaMissing !== null).each([true, false])(
  'SentencePiece: the ids of llama.cpp, and the text back (prefix space %s)',
  async (prefix) => {
    const config = tinyConfig({
      ...{ hidden: 32, headDim: 16, heads: 2, kvHeads: 2, ffn: 32, vocab: tokens.length, layers: 1 },
      arch: 'llama',
      attention: 'causal',
      maskId: null,
    });
    const path = join(temporaryDirectory(), 'm.gguf');
    await writeModelGguf(config, randomWeights(config), path, 'f32', tokenizer(prefix));
    const oracle = (await loadLlama()).open(path);
    const model = await loadModel(path);
    expect(model.text.fault).toBeNull();
    fc.assert(
      fc.property(texts, (text) => {
        const ids = model.tokenizer?.encode(text) ?? [];
        expect(ids).toEqual(oracle.tokenize(text));
        expect(model.tokenizer?.decode(ids, { skipSpecial: false })).toBe(text);
      }),
      { numRuns: RUNS },
    );
    oracle.close();
    await model.weights.close();
  },
);
