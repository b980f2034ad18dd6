import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { promptIds } from '../../src/model/chat.js';
import type { ModelConfig } from '../../src/model/config.js';
import { familyOf, GGUF_ARCHITECTURES } from '../../src/model/families/index.js';
import { ByteFile } from '../../src/model/formats/byte-file.js';
import { writeModelGguf } from '../../src/model/formats/convert.js';
import { configFromGguf } from '../../src/model/formats/gguf-config.js';
import { parseGguf } from '../../src/model/formats/gguf-parse.js';
import { textToGguf } from '../../src/model/formats/gguf-text.js';
import { preTokenizerOf } from '../../src/model/formats/pre-tokenizers.js';
import { ropeFactorsOf, withRopeFactors } from '../../src/model/formats/rope-factors.js';
import { writeCheckpoint } from '../../src/model/formats/write-checkpoint.js';
import { type LoadedModel, loadModel } from '../../src/model/load.js';
import { NO_TEXT } from '../../src/model/model-text.js';
import type { RopeScaling } from '../../src/model/rope.js';
import { buildTokenizerJson } from '../../src/score/tokenizer-json.js';
import { arbitraryConfig } from '../support/arbitrary-config.js';
import { writeFolder } from '../support/folder.js';
import { denoisePass } from '../support/passes.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

const VOCAB = Object.keys(buildTokenizerJson().model.vocab).length;
const TEXTS = ['sort owl elk ant', ' Ünïcode \u{1f600} 1234 zebra?', 'a\n\n b  c<|eot_id|>', "I'll go"];
const RUNS = process.env.DLLM_FUZZ_RUNS === undefined ? 3 : 60;

/** What a folder says about text: how words are cut, settings, templates. */
const texts = fc.record({
  pre: fc.constantFrom('gpt-2', 'qwen2', 'llama-bpe', 'bailingmoe', 'none that is known'),
  prefixSpace: fc.boolean(),
  template: fc.constantFrom(null, '{{ messages[0].content }}', 'a\n"b" {{ bos_token }}'),
  ownFile: fc.boolean(),
  tool: fc.boolean(),
  addBos: fc.constantFrom(undefined, true, false),
  /** The start and the end of a text are those of the post-processor. */
  processed: fc.boolean(),
  settings: fc.boolean(),
});

/** Cuts that llama.cpp has no name for. */
const DIGITS = {
  type: 'Sequence',
  pretokenizers: [
    { type: 'Digits', individual_digits: true },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  ],
};

type Text = typeof texts extends fc.Arbitrary<infer T> ? T : never;

function writeText(directory: string, text: Text): void {
  const json = buildTokenizerJson() as unknown as Record<string, unknown>;
  const cutting = preTokenizerOf(text.pre) ?? DIGITS;
  if (text.pre !== 'gpt-2') json.pre_tokenizer = cutting;
  else json.pre_tokenizer = { ...cutting, add_prefix_space: text.prefixSpace };
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
  const single = [special('<|startoftext|>'), { Sequence: { id: 'A', type_id: 0 } }];
  if (text.processed)
    json.post_processor = { type: 'TemplateProcessing', single, pair: single, special_tokens: {} };
  writeFileSync(join(directory, 'tokenizer.json'), JSON.stringify(json, null, 1));
  const { template } = text;
  const several = [
    { name: 'default', template },
    { name: 'tool_use', template: 'tools' },
  ];
  const said = text.tool ? several : template;
  const settings = { add_bos_token: text.addBos, bos_token: '<|startoftext|>' };
  const all = template === null || text.ownFile ? settings : { ...settings, chat_template: said };
  if (text.settings) writeFileSync(join(directory, 'tokenizer_config.json'), JSON.stringify(all));
  if (template !== null && text.ownFile) writeFileSync(join(directory, 'chat_template.jinja'), template);
}

/** What must be the same after any conversion. */
async function observed({ config, weights, tokenizer, text, chat }: LoadedModel): Promise<unknown> {
  const engine = await createTfjsEngine(config, weights);
  const rows = [3, 9, 4, 7].map((feed, position) => ({ position: 5 * position, feed }));
  const { logits } = await engine.run(
    denoisePass(0, rows, { visibility: config.attention === 'causal' ? 'causal' : 'all' }),
  );
  const format = chat ? 'file' : 'none';
  const seen = {
    config: { ...config, name: '' },
    logits: [...logits],
    ids: TEXTS.map((one) => promptIds({ tokenizer: tokenizer!, arch: config.arch, text }, format, one)),
    decoded: TEXTS.map((one) => tokenizer!.decode(tokenizer!.encode(one), { skipSpecial: false })),
    templates: [...text.templates],
    addBos: text.settings.add_bos_token,
  };
  engine.dispose();
  return seen;
}

async function convert(
  model: Pick<LoadedModel, 'config' | 'weights' | 'text'>,
  to: 'gguf' | 'folder',
): Promise<string> {
  const directory = temporaryDirectory();
  if (to === 'folder') {
    await writeCheckpoint(model.config, model.weights, directory, null, model.text);
    return directory;
  }
  const path = join(directory, 'm.gguf');
  const text = textToGguf(model.text, model.config.vocab);
  await writeModelGguf(model.config, model.weights, path, null, text);
  return path;
}

/** Scalings with numbers that f32 holds. */
function scalings(arch: ModelConfig['arch']): fc.Arbitrary<RopeScaling | undefined> {
  const factor = fc.integer({ min: 2, max: 40 });
  const originalContext = fc.integer({ min: 8, max: 100 });
  const yarn = fc.record({ factor, originalContext, own: fc.boolean() }).map(
    ({ own, ...rest }): RopeScaling => ({
      kind: 'yarn',
      ...rest,
      betaFast: 32,
      betaSlow: 1,
      attentionFactor: own ? 0.1 * Math.log(rest.factor) + 1 : 1,
    }),
  );
  const llama3 = fc
    .record({ factor, originalContext })
    .map((rest): RopeScaling => ({ kind: 'llama3', lowFrequencyFactor: 1, highFrequencyFactor: 4, ...rest }));
  const linear = factor.map((value): RopeScaling => ({ kind: 'linear', factor: value }));
  const any = [fc.constant(undefined), linear, yarn];
  return fc.oneof(...any, ...(familyOf(arch).gguf?.ropeFactors ? [llama3] : []));
}

describe.each(GGUF_ARCHITECTURES)('%s: any chain of conversions', (arch) => {
  it('keeps prompt ids, templates, flags, end tokens and logits', async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryConfig(arch),
        scalings(arch),
        texts,
        fc.array(fc.constantFrom('gguf', 'folder'), { minLength: 1, maxLength: 3 }),
        async (drawn, ropeScaling, text, chain) => {
          const config = { ...drawn, vocab: VOCAB, ropeScaling };
          const first = await writeFolder(config, randomWeights(config));
          writeText(first, text);
          let model = await loadModel(first);
          const expected = await observed(model);
          for (const to of chain) {
            const path = await convert(model, to);
            await model.weights.close();
            model = await loadModel(path);
            expect(await observed(model)).toEqual(expected);
          }
          await model.weights.close();
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe('what the target cannot say is refused', () => {
  const size = { hidden: 64, headDim: 16, ffn: 96, kvHeads: 2, tiedHead: false };
  const llama3 = {
    kind: 'llama3',
    factor: 8,
    lowFrequencyFactor: 1,
    highFrequencyFactor: 4,
    originalContext: 8192,
  } as const;
  const yarn = {
    kind: 'yarn',
    factor: 4,
    originalContext: 64,
    betaFast: 8,
    betaSlow: 1,
    attentionFactor: 1,
  } as const;
  const moe = { experts: 3, expertsPerToken: 2, expertFfn: 32, renormalise: true };
  const REFUSED: readonly (readonly ['gguf' | 'folder', Partial<ModelConfig>, RegExp])[] = [
    ['gguf', { arch: 'llada-moe', ffn: 0, moe }, /cannot say that router probabilities are renormalised/],
    ['gguf', { ropeScaling: llama3 }, /llama.cpp does not divide the rotary frequencies of llada models/],
    ['gguf', { ropeScaling: yarn }, /scaleBetaFast 8: llama.cpp's ramp of YaRN has 32/],
    [
      'folder',
      { ropeScaling: { kind: 'factors', factors: [1, 2, 3, 4, 5, 6, 7, 9] } },
      /fit no known scaling/,
    ],
  ];
  it.each(REFUSED)('%s: %o', async (to, overrides, message) => {
    const config = tinyConfig({ ...size, ...overrides });
    const model = { config, weights: randomWeights(config), text: NO_TEXT };
    await expect(convert(model, to)).rejects.toThrow(message);
  });

  it('but the scaling of Llama 3.1 is told from its divisors', async () => {
    const config = tinyConfig({ ...size, arch: 'llama', ropeScaling: llama3, ropeTheta: 500_000 });
    const path = await convert({ config, weights: randomWeights(config), text: NO_TEXT }, 'gguf');
    const file = await ByteFile.open(path);
    const { metadata, tensors } = await parseGguf(file);
    await file.close();
    // As converters write it: the divisors, and no word about what made them.
    const foreign = new Map([...metadata].filter(([key]) => !key.startsWith('dllm-npu.')));
    const described = configFromGguf(foreign, tensors, path);
    expect(described.ropeScaling).toBeUndefined();
    expect(withRopeFactors(described, ropeFactorsOf(config)!, path).ropeScaling).toEqual(llama3);
  });
});
