import { type FileHandle, open } from 'node:fs/promises';
import { DataError, EnvironmentError } from '../../errors.js';
import { cannotRead, isLfsPointer, lfsPointer } from '../../util/read-file.js';

/** A file read by ranges: nothing is allocated before the range is known to lie inside the file. */
export class ByteFile {
  private constructor(
    readonly path: string,
    readonly size: number,
    private readonly handle: FileHandle,
  ) {}

  /** @throws EnvironmentError when it cannot be opened, is not a regular file or only stands for one (Git LFS) */
  static async open(path: string): Promise<ByteFile> {
    let handle: FileHandle | undefined;
    let regular: boolean;
    try {
      handle = await open(path, 'r');
      const stats = await handle.stat();
      if (stats.isFile()) {
        const file = new ByteFile(path, stats.size, handle);
        const start = await file.read(0, Math.min(stats.size, 64), 'start');
        if (!isLfsPointer(new TextDecoder('latin1').decode(start))) return file;
      }
      regular = stats.isFile();
    } catch (error) {
      await handle?.close();
      throw cannotRead(path, error);
    }
    await handle.close();
    if (regular) throw lfsPointer(path);
    throw new EnvironmentError(`cannot read ${path}: it is not a regular file`);
  }

  /**
   * Bytes [offset, offset + length).
   * @param what what errors call the range
   * @throws DataError when the range is not inside the file
   */
  async read(offset: number, length: number, what: string): Promise<Uint8Array> {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || offset < 0 || length < 0) {
      throw new DataError(`${this.path}: ${what}: impossible range at ${offset}, ${length} bytes`);
    }
    if (offset + length > this.size) {
      throw new DataError(
        `${this.path}: ${what}: file is truncated, ${offset + length} bytes needed, ${this.size} present`,
      );
    }
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.handle.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0)
        throw new DataError(`${this.path}: ${what}: file became shorter while it was read`);
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
