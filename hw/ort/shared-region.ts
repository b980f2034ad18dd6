import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { OrtApi, Pointer } from './ort-api.js';

/**
 * The file that holds the tensors of a session, in the host's memory. Where the system can, the file is mapped: the
 * runtime then works on the very bytes that the parent writes and reads. Elsewhere they are copied around each run.
 */
export interface SharedRegion {
  readonly address: Pointer;
  /** Makes the parent's bytes [0, end) visible to the runtime. */
  fetch(end: number): void;
  /** Makes the runtime's bytes from `start` on visible to the parent. */
  store(start: number): void;
  close(): void;
}

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

export function openRegion(api: OrtApi, path: string, bytes: number): SharedRegion {
  const file = openSync(path, 'r+');
  return process.platform === 'win32' ? copiedRegion(api, file, bytes) : mappedRegion(api, file, bytes);
}

function mappedRegion({ koffi }: OrtApi, file: number, bytes: number): SharedRegion {
  const libc = koffi.load(null);
  const mmap = libc.func('mmap', 'void *', ['void *', 'size_t', 'int', 'int', 'int', 'int64_t']);
  const munmap = libc.func('munmap', 'int', ['void *', 'size_t']);
  const address = mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, file, 0) as Pointer;
  closeSync(file);
  if (address === null || BigInt.asIntN(64, address) === -1n) throw new Error(`cannot map ${bytes} bytes`);
  return { address, fetch: () => {}, store: () => {}, close: () => munmap(address, bytes) };
}

function copiedRegion({ koffi }: OrtApi, file: number, bytes: number): SharedRegion {
  const memory: unknown = koffi.alloc('uint8_t', bytes);
  const view = new Uint8Array(koffi.view(memory, bytes));
  return {
    address: koffi.address(memory),
    fetch: (end) => void readSync(file, view, 0, end, 0),
    store: (start) => void writeSync(file, view, start, bytes - start, start),
    close: () => {
      closeSync(file);
      koffi.free(memory);
    },
  };
}
