import { closeSync, fstatSync, openSync } from 'node:fs';
import type { WeightPlace } from '../../model/weights.js';
import type { Pointer } from './api.js';
import type { IKoffi } from './koffi.js';

/** A range of a mapped file. */
export interface MappedRange {
  readonly address: Pointer;
  /** Whether ggml computes with values at this address (TENSOR_ALIGNMENT of ggml-cpu). */
  readonly aligned: boolean;
  /** What was read of it may leave memory. */
  release(): void;
}

const PROT_READ = 1;
const MAP_SHARED = 1;
const MADV_DONTNEED = 4;
const MADV_HUGEPAGE = 14;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
const ALIGNMENT = 32n;
const PAGE = 4096n;

/** Files of weights in the process's memory: read when they are used, shared between processes, and not counted twice. */
export class MappedFiles {
  private readonly files = new Map<string, { readonly address: Pointer; readonly bytes: number }>();

  private constructor(
    private readonly mmap: (...args: (number | bigint | null)[]) => bigint,
    private readonly munmap: (address: Pointer, bytes: number) => number,
    private readonly madvise: (address: Pointer, bytes: bigint, advice: number) => number,
  ) {}

  /** Null where there is no mmap: weights are then read. */
  static open(koffi: IKoffi): MappedFiles | null {
    if (process.platform === 'win32') return null;
    const c = koffi.load(null);
    return new MappedFiles(
      c.func('mmap', 'uint64_t', ['uint64_t', 'size_t', 'int', 'int', 'int', 'int64_t']) as never,
      c.func('munmap', 'int', ['uint64_t', 'size_t']) as never,
      c.func('madvise', 'int', ['uint64_t', 'size_t', 'int']) as never,
    );
  }

  /** Null when the system does not map the file, or the range is not in it. */
  map({ path, offset, bytes }: WeightPlace): MappedRange | null {
    const file = this.files.get(path) ?? this.mapFile(path);
    if (file === null || offset + bytes > file.bytes) return null;
    const address = file.address + BigInt(offset);
    return {
      address,
      aligned: address % ALIGNMENT === 0n,
      release: () => {
        // Only whole pages: the first and the last may hold something that stays.
        const from = (address + PAGE - 1n) & -PAGE;
        const length = ((address + BigInt(bytes)) & -PAGE) - from;
        if (length > 0n) this.madvise(from, length, MADV_DONTNEED);
      },
    };
  }

  /** Asks for large pages behind memory that is read over and over: fewer look-ups of addresses. A wish, not more. */
  preferLargePages(address: Pointer, bytes: number): void {
    const from = (address + PAGE - 1n) & -PAGE;
    const length = ((address + BigInt(bytes)) & -PAGE) - from;
    if (process.platform === 'linux' && length > 0n) this.madvise(from, length, MADV_HUGEPAGE);
  }

  close(): void {
    for (const { address, bytes } of this.files.values()) this.munmap(address, bytes);
    this.files.clear();
  }

  private mapFile(path: string) {
    const descriptor = openSync(path, 'r');
    try {
      const { size } = fstatSync(descriptor);
      const address = BigInt(this.mmap(0, size, PROT_READ, MAP_SHARED, descriptor, 0));
      if (address === MAP_FAILED) return null;
      const file = { address, bytes: size };
      this.files.set(path, file);
      return file;
    } finally {
      closeSync(descriptor);
    }
  }
}
