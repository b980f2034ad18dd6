import { UsageError } from '../../src/errors.js';
import { bytesText } from '../../src/util/bytes.js';

export interface WindowLimits {
  readonly bytes: number;
  /** Every mapping starts and ends on a multiple of this. */
  readonly alignmentBytes: number;
  readonly mapperEntries: number;
  readonly maxMapBytes: number;
}

export interface Mapping {
  readonly id: string;
  readonly address: number;
  /** Rounded up to the alignment. */
  readonly bytes: number;
}

/** The NPU addresses of one session: an allocator of contiguous, aligned ranges, first fit. */
export class AddressWindow {
  /** Sorted by address. */
  private readonly mappings: Mapping[] = [];
  private readonly byId = new Map<string, Mapping>();
  private used = 0;

  constructor(readonly limits: WindowLimits) {}

  /** By address. */
  list(): readonly Mapping[] {
    return [...this.mappings];
  }

  get mappedBytes(): number {
    return this.used;
  }

  get entries(): number {
    return this.mappings.length;
  }

  /** Longest range that could be mapped now. */
  get largestFreeBytes(): number {
    return this.gaps().reduce((best, gap) => Math.max(best, gap.bytes), 0);
  }

  /** Share of the free bytes that is outside the largest gap: 0 is one gap. */
  get fragmentation(): number {
    const free = this.limits.bytes - this.used;
    return free === 0 ? 0 : 1 - this.largestFreeBytes / free;
  }

  addressOf(id: string): number | null {
    return this.byId.get(id)?.address ?? null;
  }

  /** Whether `bytes` can be mapped now without unmapping anything. */
  fits(bytes: number): boolean {
    const size = this.rounded(bytes);
    return this.mappings.length < this.limits.mapperEntries && this.gaps().some((gap) => gap.bytes >= size);
  }

  /**
   * Maps a buffer and returns its address, or null when no gap or mapper entry is free.
   * @throws UsageError when the buffer could never be mapped, by name and by how much
   */
  map(id: string, bytes: number): number | null {
    if (this.byId.has(id)) throw new Error(`${id} is mapped already`);
    const size = this.rounded(bytes);
    const most = Math.min(this.limits.maxMapBytes, this.limits.bytes);
    if (size > most) {
      throw new UsageError(
        `${id} (${bytesText(bytes)}) is ${bytesText(size - most)} larger than an address window of ${bytesText(this.limits.bytes)} with mappings of at most ${bytesText(this.limits.maxMapBytes)} allows`,
      );
    }
    if (this.mappings.length >= this.limits.mapperEntries) return null;
    const gap = this.gaps().find((candidate) => candidate.bytes >= size);
    if (gap === undefined) return null;
    const mapping = { id, address: gap.address, bytes: size };
    this.mappings.splice(gap.before, 0, mapping);
    this.byId.set(id, mapping);
    this.used += size;
    return gap.address;
  }

  unmap(id: string): void {
    const mapping = this.byId.get(id);
    if (mapping === undefined) throw new Error(`${id} is not mapped`);
    this.mappings.splice(this.mappings.indexOf(mapping), 1);
    this.byId.delete(id);
    this.used -= mapping.bytes;
  }

  clear(): void {
    this.mappings.length = 0;
    this.byId.clear();
    this.used = 0;
  }

  private rounded(bytes: number): number {
    const { alignmentBytes } = this.limits;
    return Math.ceil(bytes / alignmentBytes) * alignmentBytes;
  }

  /** Free ranges in address order, some of no bytes, with the index at which a mapping there would be inserted. */
  private gaps(): { address: number; bytes: number; before: number }[] {
    const gaps: { address: number; bytes: number; before: number }[] = [];
    let address = 0;
    this.mappings.forEach((mapping, before) => {
      gaps.push({ address, bytes: mapping.address - address, before });
      address = mapping.address + mapping.bytes;
    });
    gaps.push({ address, bytes: this.limits.bytes - address, before: this.mappings.length });
    return gaps;
  }
}
