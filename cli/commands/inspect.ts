import { z } from 'zod';
import { parameterCount } from '../../src/model/closed-forms.js';
import { type LoadedModel, loadModel } from '../../src/model/load.js';
import { formatTable } from '../../src/util/table.js';
import { defineCommand } from '../command.js';
import type { Context } from '../io.js';

export const command = defineCommand({
  arguments: { model: z.string().describe('shipped model, directory or .gguf file') },
  options: { tensors: z.boolean().default(false).describe('list every tensor') },
  examples: ['inspect tiny-llada', 'inspect model.gguf --tensors --json'],
  async run(ctx, { model: name, tensors }) {
    const model = await loadModel(name);
    try {
      show(ctx, model, tensors);
    } finally {
      await model.weights.close();
    }
  },
});

function show(ctx: Context, model: LoadedModel, listed: boolean): void {
  const { config, weights, tokenizer, weightsPath } = model;
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
  const tokens = tokenizer === null ? null : { size: tokenizer.size };
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
  const count = (n: number) => n.toLocaleString('en');
  ctx.print(
    table(
      ['format', '> tensors', '> bytes'],
      [...formats].map(([dtype, sum]) => [dtype, count(sum.tensors), count(sum.bytes)]),
    ),
  );
  ctx.print(
    `\n${count(parameters.total)} parameters, ${tokens === null ? 'no tokenizer' : `tokenizer of ${tokens.size}`}${
      config.endIds.length > 0 ? '' : ', no end token: a text is as long as it is asked to be'
    }`,
  );
  if (!listed) return;
  ctx.print('');
  ctx.print(
    table(
      ['tensor', 'format', 'shape', '> bytes'],
      tensors.map(({ name, dtype, shape, bytes }) => [name, dtype, `[${shape.join(', ')}]`, count(bytes)]),
    ),
  );
}

/** A table; a header that begins with `> ` is aligned to the right. */
function table(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  const columns = headers.map((header) =>
    header.startsWith('> ')
      ? { header: [header.slice(2)], align: 'right' as const }
      : { header: [header], align: 'left' as const },
  );
  return formatTable(columns, rows);
}
