import { CheckError } from '../errors.js';
import { groupStarts, groupsOf } from '../pass/groups.js';
import type { KvRef, Pass } from '../pass/pass.js';

/** Fresh K and V of the rows of one pass: per layer, row-major [rows, width]. */
export interface KvBlock {
  readonly k: readonly Float32Array[];
  readonly v: readonly Float32Array[];
}

interface StoredBlock extends KvBlock {
  readonly rows: number;
  /** Unique per pass that wrote to this store: (position, version) repeats from one decode to the next. */
  readonly stamp: number;
}

interface Entry {
  readonly block: StoredBlock;
  readonly row: number;
}

/**
 * Versioned KV entries of a decode, in plain arrays so that every engine can share it. An entry is a row of the
 * block its pass wrote; blocks with few survivors are rewritten so that they do not keep dead rows alive.
 */
export class KvStore {
  private readonly entries = new Map<number, Map<number, Entry>>();
  private count = 0;
  private nextStamp = 1;

  /** @param width kvHeads * headDim */
  constructor(
    readonly layers: number,
    readonly width: number,
  ) {}

  /** Number of entries held. */
  get size(): number {
    return this.count;
  }

  /** Bytes of all arrays held, dead rows included. */
  get bytes(): number {
    const blocks = new Set<StoredBlock>();
    for (const versions of this.entries.values())
      for (const { block } of versions.values()) blocks.add(block);
    let floats = 0;
    for (const block of blocks) floats += block.rows * this.width * this.layers * 2;
    return floats * Float32Array.BYTES_PER_ELEMENT;
  }

  /**
   * Adds an entry per row. The store keeps the arrays: do not write to them afterwards.
   * Versions are unique in one decode; between decodes, drop everything by `retain([])`.
   * @throws CheckError when an entry of that position and version exists
   */
  put(positions: readonly number[], version: number, block: KvBlock): void {
    const stored: StoredBlock = { ...block, rows: positions.length, stamp: this.nextStamp++ };
    positions.forEach((position, row) => {
      let versions = this.entries.get(position);
      if (versions === undefined) {
        versions = new Map();
        this.entries.set(position, versions);
      }
      if (versions.has(version)) {
        throw new CheckError(
          `KV of position ${position} version ${version} written twice; retain([]) starts a new decode`,
        );
      }
      versions.set(version, { block: stored, row });
      this.count++;
    });
  }

  /** Adds the rows of a pass, every group under its own version. @throws CheckError as `put` */
  putPass(pass: Pass, block: KvBlock): void {
    const groups = groupsOf(pass);
    const starts = groupStarts(groups);
    groups.forEach((group, index) => {
      const first = starts[index]!;
      const end = first + group.rows;
      const cut = (source: Float32Array): Float32Array =>
        groups.length === 1 ? source : source.slice(first * this.width, end * this.width);
      const positions = pass.rows.slice(first, end).map((row) => row.position);
      this.put(positions, group.version, { k: block.k.map(cut), v: block.v.map(cut) });
    });
  }

  /** Identifies the contents of an entry for the life of the store. @throws CheckError when it does not exist */
  stamp(ref: KvRef): number {
    return this.at(ref).block.stamp;
  }

  /**
   * Copies one layer's K or V of `refs[from..]` into `target`, row i at offset i * width.
   * @throws CheckError naming the first entry that does not exist
   */
  gather(refs: readonly KvRef[], layer: number, part: 'k' | 'v', target: Float32Array, from = 0): void {
    const { width } = this;
    for (let i = from; i < refs.length; i++) {
      const { block, row } = this.at(refs[i]!);
      const source = block[part][layer]!;
      target.set(source.subarray(row * width, (row + 1) * width), i * width);
    }
  }

  /** Copies of K and V of an entry per layer. @throws CheckError when it does not exist */
  read(ref: KvRef): { readonly k: Float32Array[]; readonly v: Float32Array[] } {
    const { block, row } = this.at(ref);
    const slice = (source: Float32Array) => source.slice(row * this.width, (row + 1) * this.width);
    return { k: block.k.map(slice), v: block.v.map(slice) };
  }

  /** Drops every entry not listed; names that do not exist are ignored. */
  retain(live: readonly KvRef[]): void {
    const kept = new Map<StoredBlock, { position: number; version: number; row: number }[]>();
    for (const { position, version } of live) {
      const entry = this.entries.get(position)?.get(version);
      if (entry === undefined) continue;
      const rows = kept.get(entry.block) ?? [];
      rows.push({ position, version, row: entry.row });
      kept.set(entry.block, rows);
    }
    this.clear();
    for (const [block, rows] of kept) {
      const compact = rows.length * 2 < block.rows;
      const target = compact ? this.compact(block, rows) : block;
      rows.forEach(({ position, version, row }, i) => {
        const versions = this.entries.get(position) ?? new Map<number, Entry>();
        if (!versions.has(version)) this.count++;
        versions.set(version, { block: target, row: compact ? i : row });
        this.entries.set(position, versions);
      });
    }
  }

  clear(): void {
    this.entries.clear();
    this.count = 0;
  }

  private compact(block: StoredBlock, rows: readonly { readonly row: number }[]): StoredBlock {
    const copy = (source: Float32Array) => {
      const out = new Float32Array(rows.length * this.width);
      rows.forEach(({ row }, i) => {
        out.set(source.subarray(row * this.width, (row + 1) * this.width), i * this.width);
      });
      return out;
    };
    return { k: block.k.map(copy), v: block.v.map(copy), rows: rows.length, stamp: block.stamp };
  }

  private at(ref: KvRef): Entry {
    const entry = this.entries.get(ref.position)?.get(ref.version);
    if (entry === undefined) {
      throw new CheckError(`KV of position ${ref.position} version ${ref.version} does not exist`);
    }
    return entry;
  }
}
