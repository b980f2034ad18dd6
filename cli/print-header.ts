import type { FileHeader } from '../src/model/file-header.js';
import { countOf, type GgufScalar } from '../src/model/formats/gguf-types.js';
import { table } from '../src/util/table.js';
import { thousands } from '../src/util/thousands.js';
import type { Context } from './io.js';

/** Longest list of a header that is written out. */
const LISTED = 16;

/**
 * What a model file says of itself, whether or not its model can be run.
 * @param refused why it cannot
 */
export function showHeader(ctx: Context, header: FileHeader, refused?: string): void {
  const { format, version, files, tensors } = header;
  const metadata = [...header.metadata].map(([key, entry]): [string, unknown] => {
    if (entry.type !== 'array') return [key, plain(entry.value)];
    const count = countOf(entry) ?? 0;
    return [key, count <= LISTED ? entry.value.map(plain) : { [entry.element]: count }];
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
  ctx.print(`${kind}, ${thousands(tensors.length)} tensors of ${thousands(bytes)} bytes\n`);
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
      tensors.map(({ name, type, shape, bytes: size }) => [
        name,
        type,
        `[${shape.join(', ')}]`,
        thousands(size),
      ]),
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
