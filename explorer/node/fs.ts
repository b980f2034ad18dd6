export {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from './absent.js';

import { contentOf, isFile, namesIn } from './files.js';

// What the library asks of node:fs, on the files that the page brought along. There is nothing to write to.

export function existsSync(path: string): boolean {
  return isFile(path) || namesIn(path).length > 0;
}

export function readFileSync(path: string, encoding?: 'utf8'): Uint8Array | string {
  const bytes = contentOf(path);
  return encoding === undefined ? bytes : new TextDecoder().decode(bytes);
}

export function readdirSync(path: string): string[] {
  const names = namesIn(path);
  return names.length > 0 ? names : [String(contentOf(path))];
}

export function statSync(path: string) {
  const directory = namesIn(path).length > 0;
  const size = directory ? 0 : contentOf(path).length;
  return { size, isFile: () => !directory, isDirectory: () => directory };
}

/** A file as one chunk. */
export async function* createReadStream(path: string): AsyncGenerator<Uint8Array> {
  yield contentOf(path);
}

/** A file that is read by ranges, as node:fs/promises opens one. */
export async function open(path: string) {
  const bytes = contentOf(path);
  return {
    stat: async () => statSync(path),
    read: async (into: Uint8Array, offset: number, length: number, position: number) => {
      const part = bytes.subarray(position, position + length);
      into.set(part, offset);
      return { bytesRead: part.length };
    },
    close: async () => {},
  };
}
