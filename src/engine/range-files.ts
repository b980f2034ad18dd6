import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { DataError } from '../errors.js';
import type { WeightPlace } from '../model/weights.js';
import { cannotRead } from '../util/read-file.js';

interface OpenFile {
  readonly descriptor: number;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/**
 * Files whose ranges are read when they are needed, while a kernel waits. What there is room for stays in the system's
 * cache, which every process shares and gives back by itself; the process holds one range.
 */
export class RangeFiles {
  private readonly files = new Map<string, OpenFile>();
  private buffer = new Uint8Array(0);

  /**
   * The bytes of a place by offset and length within it; what comes back is good until the next call on any range.
   * @throws EnvironmentError when the file cannot be opened; when called, DataError for a file that was changed since
   */
  range({ path, offset, bytes }: WeightPlace): (from: number, length: number) => Uint8Array {
    const file = this.files.get(path) ?? this.open(path);
    return (from, length) => {
      if (from < 0 || from + length > bytes) throw new Error(`${path}: range ${from}+${length} of ${bytes}`);
      return this.read(path, file, offset + from, length);
    };
  }

  close(): void {
    for (const { descriptor } of this.files.values()) closeSync(descriptor);
    this.files.clear();
  }

  private open(path: string): OpenFile {
    try {
      const descriptor = openSync(path, 'r');
      const { size, mtimeMs } = fstatSync(descriptor);
      const file = { descriptor, bytes: size, modifiedMs: mtimeMs };
      this.files.set(path, file);
      return file;
    } catch (error) {
      throw cannotRead(path, error);
    }
  }

  private read(path: string, file: OpenFile, position: number, length: number): Uint8Array {
    if (this.buffer.length < length) this.buffer = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const read = readSync(file.descriptor, this.buffer, done, length - done, position + done);
      if (read === 0) throw changed(path);
      done += read;
    }
    const { size, mtimeMs } = fstatSync(file.descriptor);
    if (size !== file.bytes || mtimeMs !== file.modifiedMs) throw changed(path);
    return this.buffer.subarray(0, length);
  }
}

function changed(path: string): DataError {
  return new DataError(`${path}: the file was changed while its model was open; open it again`);
}
