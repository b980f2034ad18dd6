import { stripVTControlCharacters } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { DataError } from '../../src/errors.js';
import { readBytes } from '../../src/util/read-file.js';

/** A log that one string can hold with room to spare. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * Text of a log as people keep it: plain, packed with gzip, or as UTF-16, which is what `>` of a Windows shell writes.
 * @throws EnvironmentError when the file cannot be read; DataError when it is damaged or too long
 */
export function readLog(path: string): string {
  const bytes = readBytes(path);
  const plain = bytes.length > 2 && bytes.readUInt16BE(0) === 0x1f8b ? unpacked(bytes, path) : bytes;
  if (plain.length > MAX_BYTES) throw tooLong(path);
  const mark = plain.length < 2 ? 0 : plain.readUInt16BE(0);
  if (mark === 0xfffe) return plain.toString('utf16le', 2);
  if (mark === 0xfeff)
    return Buffer.from(plain.subarray(2, plain.length & ~1))
      .swap16()
      .toString('utf16le');
  return plain.toString('utf8').replace(/^\uFEFF/, '');
}

function unpacked(bytes: Buffer, path: string): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(path);
    throw new DataError(`${path} is a damaged gzip file: ${error instanceof Error ? error.message : error}`);
  }
}

const tooLong = (path: string) =>
  new DataError(`${path} has more than ${MAX_BYTES / 1e6} MB: profile fewer steps or a lower level`);

/** Lines without the colours of a terminal. */
export function logLines(text: string): string[] {
  return stripVTControlCharacters(text).split(/\r?\n/);
}
