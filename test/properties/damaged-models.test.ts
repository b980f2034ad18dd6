import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { promptIds, usualFormat } from '../../src/model/chat.js';
import { renderTemplate } from '../../src/model/chat-template.js';
import { readFileHeader } from '../../src/model/file-header.js';
import { ByteFile } from '../../src/model/formats/byte-file.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { parseGguf } from '../../src/model/formats/gguf-parse.js';
import { textToGguf } from '../../src/model/formats/gguf-text.js';
import { configToHf, parseHfConfig, recogniseHfConfig } from '../../src/model/formats/hf-config.js';
import { type LoadedModel, loadModel } from '../../src/model/load.js';
import { NO_TEXT } from '../../src/model/model-text.js';
import { presetNames, resolvePreset } from '../../src/model/presets.js';
import { createTokenizer, parseTokenizerJson } from '../../src/model/tokenizer.js';
import { parseJson } from '../../src/util/read-file.js';
import { VOCAB, writeCheckpoint } from '../support/checkpoint.js';
import { damaged } from '../support/damaged-text.js';
import { damagedGguf, ggufFields } from '../support/gguf-fields.js';
import { readsOrRefuses, reportDraws } from '../support/reader-limits.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

/** Cases a reader; `npm run fuzz` raises it. */
const RUNS = Number(process.env.DLLM_FUZZ_RUNS ?? 50);
const config = tinyConfig({ layers: 1, vocab: VOCAB, hidden: 8, heads: 2, kvHeads: 2, headDim: 4, ffn: 8 });
const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}{% if loop.first and m.role != 'system' %}{% set ns = namespace(a=[1, 2]) %}{% endif %}" +
  "<|start_header_id|>{{ m['role'] | trim }}<|end_header_id|>{{ m.content.strip().replace('a', 'b') }}{{ range(3) | join(',') }}" +
  '<|eot_id|>{% endfor %}{% if add_generation_prompt %}{{ raise_exception("no") if messages | length > 9 }}{% endif %}{{ messages | tojson(indent=2) }}';

/** A folder of a small model with everything that a folder can hold, and the same model as one file. */
const folder = await writeCheckpoint(config, randomWeights(config));
writeFileSync(
  join(folder, 'tokenizer_config.json'),
  JSON.stringify({ bos_token: '<|startoftext|>', add_bos_token: true, chat_template: TEMPLATE }),
);
writeFileSync(join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: [1, 2] }));
const good = join(folder, 'good.gguf');
{
  const { text, weights } = await loadModel(folder);
  await writeModelGguf(config, weights, good, null, textToGguf(text, config.vocab));
  await weights.close();
}

/** What a command does with a model: opens it, reads every weight, asks a question. */
async function used(path: string): Promise<void> {
  const {
    config: { arch },
    weights,
    tokenizer,
    text,
  }: LoadedModel = await loadModel(path);
  try {
    for (const id of weights.names()) await weights.read(id);
    if (tokenizer === null) return;
    const side = { tokenizer, arch, text };
    tokenizer.decode(promptIds(side, usualFormat(side), 'sort owl elk'));
  } finally {
    await weights.close();
  }
}

const readText = (name: string): string => readFileSync(join(folder, name), 'utf8');
const cases = (numRuns = RUNS): { numRuns: number } => ({ numRuns });

describe('a damaged file of a model is used, or refused with a message for its user, never anything else (property)', () => {
  afterAll(reportDraws);

  it.each(['config.json', 'tokenizer.json', 'tokenizer_config.json', 'generation_config.json'])(
    '%s of a folder',
    async (name) => {
      const directory = temporaryDirectory();
      for (const file of [
        'model.safetensors',
        'config.json',
        'tokenizer.json',
        'tokenizer_config.json',
        'generation_config.json',
      ])
        copyFileSync(join(folder, file), join(directory, file));
      await used(directory);
      await fc.assert(
        fc.asyncProperty(damaged([readText(name)]), (text) => {
          writeFileSync(join(directory, name), text);
          return readsOrRefuses(name, () => used(directory));
        }),
        cases(),
      );
    },
  );

  it('a tokenizer', async () => {
    const read = (text: string) => {
      const tokenizer = createTokenizer(parseTokenizerJson(text, 'tokenizer.json'), 'tokenizer.json');
      tokenizer.decode(tokenizer.encode('sort owl <|eot_id|> 12 é', { addSpecial: true }));
    };
    const full = JSON.stringify({
      ...JSON.parse(readText('tokenizer.json')),
      normalizer: {
        type: 'Sequence',
        normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { String: 'é' }, content: 'e' }],
      },
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: [
          { type: 'Split', pattern: { Regex: '\\p{N}{1,3}| ?\\p{L}+' }, behavior: 'Isolated', invert: false },
          { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
        ],
      },
      post_processor: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true },
    });
    const texts = [full, readText('tokenizer.json')];
    for (const text of texts) read(text);
    await fc.assert(
      fc.asyncProperty(damaged(texts), (text) => readsOrRefuses('tokenizer', () => read(text))),
      cases(),
    );
  });

  it('config.json of every family', async () => {
    // Of a shape that is only timed nobody knows the mask.
    const shapes = presetNames().map(resolvePreset);
    const texts = shapes.map((shape) => JSON.stringify({ mask_token_id: 1, ...configToHf(shape) }));
    const read = (text: string) =>
      parseHfConfig(recogniseHfConfig(parseJson(text, 'config.json'), 'config.json'), 'm');
    await fc.assert(
      fc.asyncProperty(damaged(texts), (text) =>
        readsOrRefuses('config.json, every family', () => read(text)),
      ),
      cases(),
    );
  });

  it('a chat template', async () => {
    const render = (source: string) =>
      renderTemplate({ ...NO_TEXT, label: 't', templates: new Map([['default', source]]) }, [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ]);
    expect(render(TEMPLATE)).toContain('<|eot_id|>');
    const piece = fc.constantFrom(
      ...[
        '{% for i in range(10**9) %}',
        '{% endfor %}',
        '{% if a %}',
        '{% endif %}',
        '{{ m }}',
        '{{ messages }}',
        '{#',
        '#}',
        '-%}',
        '|tojson',
      ],
      ...[
        '{% set ns.a = ns.a + ns.a %}',
        '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}',
        '{{ "a" * 9 }}',
        '|replace("", "aaaa")',
        '|indent(99999999)',
      ],
      ...[
        '(',
        '[',
        '"',
        '{% for j in range(99999) %}{% for k in range(99999) %}{% endfor %}{% endfor %}',
        '|join(messages|tojson)',
        '\u0000',
      ],
    );
    const spliced = fc
      .array(
        fc.record({
          at: fc.double({ min: 0, max: 1, noNaN: true }),
          cut: fc.nat(20),
          piece,
          again: fc.integer({ min: 1, max: 40 }),
        }),
        { minLength: 1, maxLength: 4 },
      )
      .map((cuts) =>
        cuts.reduce((text, { at, cut, piece: put, again }) => {
          const place = Math.floor(at * text.length);
          return text.slice(0, place) + put.repeat(again) + text.slice(place + cut);
        }, TEMPLATE),
      );
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged([TEMPLATE]), spliced), (source) =>
        readsOrRefuses('chat template', () => render(source), 't: its chat template'),
      ),
      cases(),
    );
  });

  it('a GGUF file, field by field', async () => {
    const file = await ByteFile.open(good);
    const header = await parseGguf(file);
    await file.close();
    const bytes = readFileSync(good);
    const data = bytes.subarray(Math.min(...[...header.tensors.values()].map(({ offset }) => offset)));
    const fields = ggufFields(header);
    const path = join(folder, 'damaged.gguf');
    writeFileSync(
      path,
      Buffer.concat([
        ...fields,
        Buffer.alloc(bytes.length - data.length - Buffer.concat(fields).length),
        data,
      ]),
    );
    expect(readFileSync(path).equals(bytes)).toBe(true);
    await fc.assert(
      fc.asyncProperty(damagedGguf(fields, data), async (damage) => {
        writeFileSync(path, damage);
        await readsOrRefuses('GGUF', () => used(path));
        await readsOrRefuses('GGUF header', () => readFileHeader(path), path);
      }),
      cases(),
    );
  });

  it('a safetensors file, by the entries of its header', async () => {
    const directory = temporaryDirectory();
    copyFileSync(join(folder, 'config.json'), join(directory, 'config.json'));
    const bytes = readFileSync(join(folder, 'model.safetensors'));
    const end = 8 + Number(bytes.readBigUInt64LE());
    const path = join(directory, 'model.safetensors');
    const lengths = fc.oneof(
      { weight: 6, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.constantFrom(0n, 7n, 2n ** 31n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n) },
    );
    await fc.assert(
      fc.asyncProperty(damaged([bytes.toString('utf8', 8, end)]), lengths, async (text, length) => {
        const prefix = Buffer.alloc(8);
        prefix.writeBigUInt64LE(length ?? BigInt(Buffer.byteLength(text)));
        writeFileSync(path, Buffer.concat([prefix, Buffer.from(text), bytes.subarray(end)]));
        await readsOrRefuses('safetensors', () => used(directory));
        await readsOrRefuses('safetensors header', () => readFileHeader(path), path);
      }),
      cases(),
    );
  });
});
