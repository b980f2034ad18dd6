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
  /** The bytes of each region, made when their turn to be written comes. */
  readonly produce: () => Promise<readonly Uint8Array[]>;
}

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
  reserve(sizes: readonly number[], produce: () => Promise<readonly Uint8Array[]>): readonly Region[] {
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
      let at = 0;
      for (const { regions, produce } of this.pieces) {
        signal?.throwIfAborted();
        const parts = await produce();
        for (const [index, { offset, bytes }] of regions.entries()) {
          const part = parts[index];
          if (part?.length !== bytes)
            throw new Error(`${path}: ${part?.length} bytes for a region of ${bytes}`);
          if (offset > at) await file.writeFile(new Uint8Array(offset - at));
          await file.writeFile(part);
          at = offset + bytes;
        }
        onProgress?.(at, this.end);
      }
    });
  }
}
