import { DataError } from '../errors.js';
import { readBytes, readText } from './read-file.js';

/** A line of a file, and where it stands, as errors name it. */
export interface Line {
  readonly line: string;
  /** `FILE:NUMBER`. */
  readonly where: string;
}

/** What the first bytes of files say that are no text. */
const KINDS: readonly (readonly [string, readonly number[]])[] = [
  ['compressed by gzip: unpack it', [0x1f, 0x8b]],
  ['compressed by zstd: unpack it', [0x28, 0xb5, 0x2f, 0xfd]],
  ['a ZIP archive: unpack it', [0x50, 0x4b, 0x03, 0x04]],
  ['a Parquet file: write it as JSON Lines', [0x50, 0x41, 0x52, 0x31]],
  ['UTF-16: save it as UTF-8', [0xff, 0xfe]],
  ['UTF-16: save it as UTF-8', [0xfe, 0xff]],
];

/**
 * Lines of a text file that are not empty.
 * @throws EnvironmentError when it cannot be read; DataError when it is not UTF-8, saying what it is where that shows
 */
export function readLines(path: string): Line[] {
  const start = readBytes(path).subarray(0, 4);
  const kind = KINDS.find(([, magic]) => magic.every((byte, i) => start[i] === byte));
  if (kind !== undefined) throw new DataError(`${path}: ${kind[0]}`);
  return readText(path)
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [{ line, where: `${path}:${index + 1}` }]));
}
