import { existsSync } from 'node:fs';
import { DataError, EnvironmentError } from '../../errors.js';
import { ByteFile } from './byte-file.js';
import { parseGguf } from './gguf-parse.js';
import type { GgufHeader, GgufMetadata, ListedTensor } from './gguf-types.js';

/** A tensor, and the file it is in. */
export interface PlacedTensor extends ListedTensor {
  readonly file: ByteFile;
}

/** A model in one file, or in the parts that llama.cpp's tools have split it into. */
export interface GgufParts {
  readonly files: readonly ByteFile[];
  readonly version: number;
  /** Of the first part: the others have none. */
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
}

interface Part {
  readonly file: ByteFile;
  readonly header: GgufHeader;
}

/** How llama-gguf-split names its parts. */
const PART = /-(\d{5})-of-(\d{5})\.gguf$/;

/** Whether a file name is that of a model, or of the first part of one. */
export function startsModel(name: string): boolean {
  const part = PART.exec(name);
  return name.endsWith('.gguf') && (part === null || part[1] === '00001');
}

/**
 * Opens a GGUF file, with its other parts where it is one of several.
 * @throws EnvironmentError for a part that is not there; DataError naming file, item and reason
 */
export async function openParts(path: string): Promise<GgufParts> {
  const files: ByteFile[] = [];
  const open = async (name: string): Promise<Part> => {
    const file = await ByteFile.open(name);
    files.push(file);
    return { file, header: await parseGguf(file) };
  };
  try {
    const parts = await allParts(path, await open(path), open);
    const tensors = new Map<string, PlacedTensor>();
    for (const { file, header } of parts) {
      for (const [name, tensor] of header.tensors) {
        const earlier = tensors.get(name);
        if (earlier !== undefined)
          throw new DataError(`${file.path}: tensor ${name} is also in ${earlier.file.path}`);
        tensors.set(name, { ...tensor, file });
      }
    }
    const { metadata, version } = parts[0].header;
    const promised = metadata.get('split.tensors.count')?.value ?? tensors.size;
    if (promised !== tensors.size)
      throw new DataError(`${path}: the parts hold ${tensors.size} tensors of ${String(promised)}`);
    return { files, version, metadata, tensors };
  } catch (error) {
    await Promise.all(files.map((file) => file.close()));
    throw error;
  }
}

async function allParts(
  path: string,
  given: Part,
  open: (name: string) => Promise<Part>,
): Promise<readonly Part[]> {
  const count = splitValue(given, 'count') ?? 1;
  if (count <= 1) return [given];
  const own = splitValue(given, 'no') ?? 0;
  const nameOf = (part: number) => {
    const [no, of] = [part + 1, count].map((number) => String(number).padStart(5, '0'));
    return path.replace(PART, `-${no}-of-${of}.gguf`);
  };
  if (!PART.test(path) || nameOf(own) !== path) {
    throw new DataError(
      `${path}: part ${own + 1} of ${count} of a split model, and its name does not say so (-00001-of-0000N.gguf), so the others are not found: rename them, or join them with llama-gguf-split --merge`,
    );
  }
  const parts: Part[] = [];
  for (let part = 0; part < count; part++) {
    const name = nameOf(part);
    if (!existsSync(name))
      throw new EnvironmentError(`${path}: part ${part + 1} of ${count}, ${name}, is missing`);
    const found = part === own ? given : await open(name);
    if (splitValue(found, 'no') !== part || splitValue(found, 'count') !== count)
      throw new DataError(`${name}: says that it is another part than its name`);
    parts.push(found);
  }
  return parts;
}

function splitValue({ header }: Part, key: 'no' | 'count'): number | undefined {
  const value = header.metadata.get(`split.${key}`)?.value;
  return value === undefined ? undefined : Number(value);
}
