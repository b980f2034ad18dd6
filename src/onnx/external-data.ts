import type { FileHandle } from 'node:fs/promises';
import { type WriteProgress, writeFileInPieces } from '../util/write-file.js';

/** Large tensors start on a page, so that a runtime can map them; small ones on a cache line. */
const PAGE_BYTES = 4096;
const LINE_BYTES = 64;

/** Where bytes lie in the data file. */
export interface Region {
  readonly offset: number;
  readonly bytes: number;
}

interface Piece {
  readonly regions: readonly Region[];
  readonly produce: Produce;
}

/** The bytes of each region, or the next bytes of each, made when their turn to be written comes. */
export type Produce = () => Promise<readonly Uint8Array[]> | AsyncIterable<readonly Uint8Array[]>;

/**
 * Layout of the file beside an .onnx file that holds its weights. Sizes are known before any weight is read, so the
 * file is laid out first and then written in one pass, one weight in memory at a time.
 */
export class ExternalData {
  private readonly pieces: Piece[] = [];
  private end = 0;

  /** Total size in bytes so far. */
  get bytes(): number {
    return this.end;
  }

  /** Reserves consecutive regions of the given sizes that one weight fills. */
  reserve(sizes: readonly number[], produce: Produce): readonly Region[] {
    const regions = sizes.map((bytes) => {
      const alignment = bytes >= PAGE_BYTES ? PAGE_BYTES : LINE_BYTES;
      const offset = Math.ceil(this.end / alignment) * alignment;
      this.end = offset + bytes;
      return { offset, bytes };
    });
    this.pieces.push({ regions, produce });
    return regions;
  }

  /** @throws whatever reading a weight throws; nothing is left behind then */
  async write(path: string, { onProgress, signal }: WriteProgress = {}): Promise<void> {
    await writeFileInPieces(path, async (file) => {
      for (const { regions, produce } of this.pieces) {
        const written = regions.map(() => 0);
        for await (const parts of runsOf(produce())) {
          signal?.throwIfAborted();
          for (const [index, { offset }] of regions.entries()) {
            await writeAt(file, parts[index], offset + written[index]);
            written[index] += parts[index].length;
          }
          const [last] = regions.slice(-1);
          onProgress?.(last.offset + (written.at(-1) ?? 0), this.end);
        }
        const wrong = regions.findIndex(({ bytes }, index) => written[index] !== bytes);
        if (wrong >= 0)
          throw new Error(`${path}: ${written[wrong]} bytes for a region of ${regions[wrong].bytes}`);
      }
    });
  }
}

async function* runsOf(produced: ReturnType<Produce>): AsyncGenerator<readonly Uint8Array[]> {
  if (produced instanceof Promise) yield await produced;
  else yield* produced;
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
