import { z } from 'zod';
import { DllmError } from '../../src/errors.js';
import { parameterCount } from '../../src/model/closed-forms.js';
import { type FileHeader, readFileHeader } from '../../src/model/file-header.js';
import type { GgufScalar } from '../../src/model/formats/gguf-types.js';
import { type LoadedModel, loadModel } from '../../src/model/load.js';
import { formatTable } from '../../src/util/table.js';
import { defineCommand } from '../command.js';
import type { Context } from '../io.js';

export const command = defineCommand({
  arguments: { model: z.string().describe('shipped model, directory, .gguf or .safetensors file') },
  options: { tensors: z.boolean().default(false).describe('list every tensor') },
  examples: ['inspect tiny-llada', 'inspect model.gguf --tensors --json', 'inspect model.safetensors'],
  async run(ctx, { model: name, tensors }) {
    // First: a file can be looked at whether or not its model can be run.
    const header = await readFileHeader(name);
    if (header?.format === 'safetensors') return showHeader(ctx, header);
    let model: LoadedModel;
    try {
      model = await loadModel(name);
    } catch (error) {
      if (header === null || !(error instanceof DllmError)) throw error;
      return showHeader(ctx, header, error.message);
    }
    try {
      show(ctx, model, tensors);
    } finally {
      await model.weights.close();
    }
  },
});

/** Longest list of a header that is written out. */
const LISTED = 16;

/** @param refused why the model cannot be run */
function showHeader(ctx: Context, header: FileHeader, refused?: string): void {
  const { format, version, files, tensors } = header;
  const metadata = [...header.metadata].map(([key, entry]): [string, unknown] => {
    if (entry.type !== 'array') return [key, plain(entry.value)];
    const { element, value } = entry;
    return [key, value.length <= LISTED ? value.map(plain) : { [element]: value.length }];
  });
  ctx.data({
    path: files[0],
    format,
    version,
    files,
    metadata: Object.fromEntries(metadata),
    tensors,
    refused,
  });

  for (const file of files) ctx.print(file);
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  const kind = format === 'gguf' ? `GGUF version ${version}` : 'safetensors';
  ctx.print(`${kind}, ${count(tensors.length)} tensors of ${count(bytes)} bytes\n`);
  if (metadata.length > 0) {
    const shown = (value: unknown) => {
      const text = typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : JSON.stringify(value);
      return text.length > 100 ? `${text.slice(0, 100)}...` : text;
    };
    ctx.print(
      table(
        ['key', 'value'],
        metadata.map(([key, value]) => [key, shown(value)]),
      ),
    );
    ctx.print('');
  }
  ctx.print(
    table(
      ['tensor', 'type', 'shape', '> bytes'],
      tensors.map(({ name, type, shape, bytes: size }) => [name, type, `[${shape.join(', ')}]`, count(size)]),
    ),
  );
  if (refused !== undefined) ctx.print(`\nIt cannot be run here: ${refused}`);
}

/** A value that JSON can say. */
function plain(value: GgufScalar): string | number | boolean {
  return typeof value === 'bigint'
    ? Number.isSafeInteger(Number(value))
      ? Number(value)
      : String(value)
    : value;
}

function count(n: number): string {
  return n.toLocaleString('en');
}

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
