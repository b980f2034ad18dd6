import { z } from 'zod';
import { DllmError } from '../../src/errors.js';
import { parameterCount } from '../../src/model/closed-forms.js';
import { type FileHeader, readFileHeader } from '../../src/model/file-header.js';
import { type LoadedModel, loadModel, tokensListed } from '../../src/model/load.js';
import { table } from '../../src/util/table.js';
import { thousands } from '../../src/util/thousands.js';
import { defineCommand } from '../command.js';
import type { Context } from '../io.js';
import { showHeader } from '../print-header.js';

export const command = defineCommand({
  arguments: { model: z.string().describe('shipped model, directory, .gguf or .safetensors file') },
  options: { tensors: z.boolean().default(false).describe('list every tensor') },
  examples: ['inspect tiny-llada', 'inspect model.gguf --tensors --json', 'inspect model.safetensors'],
  async run(ctx, { model: name, tensors }) {
    const { model, header, refused } = await openOrLook(name);
    if (model === null) return showHeader(ctx, header, refused);
    const size = tokensListed(model);
    try {
      show(ctx, model, size === null ? await tokenizerOf(name) : { size, fault: null }, tensors);
    } finally {
      await model.weights.close();
    }
  },
});

type Opened =
  | { readonly model: LoadedModel; readonly header: null; readonly refused?: undefined }
  | { readonly model: null; readonly header: FileHeader; readonly refused?: string };

/** A model, or the header of its file: that can be looked at whether or not the model can be run. */
async function openOrLook(name: string): Promise<Opened> {
  if (name.endsWith('.safetensors')) {
    const header = await readFileHeader(name);
    if (header !== null) return { model: null, header };
  }
  try {
    return { model: await loadModel(name, { text: false }), header: null };
  } catch (error) {
    if (!(error instanceof DllmError)) throw error;
    const header = await readFileHeader(name);
    if (header === null) throw error;
    return { model: null, header, refused: error.message };
  }
}

interface TokenizerSeen {
  /** Tokens; null without a tokenizer that can be used. */
  readonly size: number | null;
  /** Why one that is there cannot be used. */
  readonly fault: string | null;
}

/** The tokenizer of a model where it is not in the keys of llama.cpp. */
async function tokenizerOf(name: string): Promise<TokenizerSeen> {
  const { tokenizer, text, weights } = await loadModel(name);
  await weights.close();
  return { size: tokenizer?.size ?? null, fault: text.fault?.message ?? null };
}

function show(ctx: Context, model: LoadedModel, { size, fault }: TokenizerSeen, listed: boolean): void {
  const { config, weights, weightsPath } = model;
  const tensors = weights.names().flatMap((name) => {
    const info = weights.info(name);
    return info === undefined ? [] : [{ name, shape: info.shape, dtype: info.dtype, bytes: info.bytes }];
  });
  const formats = new Map<string, { tensors: number; bytes: number }>();
  for (const { dtype, bytes } of tensors) {
    const sum = formats.get(dtype) ?? { tensors: 0, bytes: 0 };
    formats.set(dtype, { tensors: sum.tensors + 1, bytes: sum.bytes + bytes });
  }
  const parameters = parameterCount(config);
  const tokens = size === null ? null : { size };
  ctx.data({
    path: weightsPath,
    config,
    parameters,
    formats: Object.fromEntries(formats),
    tokenizer: tokens,
    tensors,
  });

  ctx.print(`${weightsPath}\n`);
  const facts = Object.entries(config).filter(([, value]) => value !== undefined);
  ctx.print(
    table(
      ['configuration', 'value'],
      facts.map(([key, value]) => [key, typeof value === 'object' ? JSON.stringify(value) : String(value)]),
    ),
  );
  ctx.print('');
  ctx.print(
    table(
      ['format', '> tensors', '> bytes'],
      [...formats].map(([dtype, sum]) => [dtype, thousands(sum.tensors), thousands(sum.bytes)]),
    ),
  );
  ctx.print(
    `\n${thousands(parameters.total)} parameters, ${tokens === null ? 'no tokenizer' : `tokenizer of ${tokens.size}`}${
      config.endIds.length > 0 ? '' : ', no end token: a text is as long as it is asked to be'
    }`,
  );
  if (fault !== null) ctx.print(`no text: ${fault}`);
  if (!listed) return;
  ctx.print('');
  ctx.print(
    table(
      ['tensor', 'format', 'shape', '> bytes'],
      tensors.map(({ name, dtype, shape, bytes }) => [
        name,
        dtype,
        `[${shape.join(', ')}]`,
        thousands(bytes),
      ]),
    ),
  );
}
