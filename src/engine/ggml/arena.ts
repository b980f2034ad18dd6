import { CheckError } from '../../errors.js';
import { groupStarts, groupsOf } from '../../pass/groups.js';
import type { KvRef, Pass } from '../../pass/pass.js';

/** Where the arena's values are: K and V of all layers of a slot, [layers][K, V][width]. */
export interface SlotMemory {
  readonly capacity: number;
  /** Makes room for that many slots; what is in those there are stays. */
  grow(slots: number): void;
  read(slot: number): Float32Array;
  write(slot: number, values: Float32Array): void;
}

interface Entry {
  /** Slot that holds it; null while it is only in `spilled`. */
  slot: number | null;
  /** A copy outside, once it had to make room. */
  spilled: Float32Array | null;
}

/**
 * Versioned KV entries in the slots of one arena. A pass finds what it reads in the first slots, in its order, and
 * writes the entries of its rows behind: attention then reads one contiguous piece, whose order of sums depends on nothing
 * but the pass. While a prefix grows at its end nothing is ever moved.
 */
export class KvArena {
  private readonly entries = new Map<number, Map<number, Entry>>();
  /** What each slot holds; an entry that was dropped may still be named. */
  private readonly slots: (Entry | null)[] = [];

  constructor(private readonly memory: SlotMemory) {}

  /** Entries held. */
  get size(): number {
    let size = 0;
    for (const versions of this.entries.values()) size += versions.size;
    return size;
  }

  /**
   * Puts what a pass reads into slots 0, 1, ... and frees those behind for its rows.
   * @returns the first slot of the rows
   * @throws CheckError when an entry does not exist, or one of the pass does already; nothing has moved then
   */
  place(pass: Pass): number {
    const wanted = pass.reads.map((ref) => this.at(ref));
    const own = new Set<string>();
    for (const { position, version } of refsOf(pass)) {
      const name = `${position}:${version}`;
      if (own.has(name) || this.entries.get(position)?.has(version))
        throw new CheckError(
          `KV of position ${position} version ${version} written twice; retain([]) starts a new decode`,
        );
      own.add(name);
    }
    const end = wanted.length + pass.rows.length;
    if (end > this.memory.capacity) this.memory.grow(end);
    const moving = wanted.flatMap((entry, slot) => (this.slots[slot] === entry ? [] : [{ entry, slot }]));
    // Copies first: what moves may lie where something else is about to be written.
    for (const { slot } of moving) this.vacate(slot);
    for (let slot = wanted.length; slot < end; slot++) this.vacate(slot);
    for (const { entry, slot } of moving) {
      entry.spilled ??= this.memory.read(entry.slot!);
      this.memory.write(slot, entry.spilled);
      entry.slot = slot;
      this.slots[slot] = entry;
    }
    return wanted.length;
  }

  /** The rows of a pass that was placed are written: their entries exist from now on. */
  commit(pass: Pass): void {
    const first = pass.reads.length;
    refsOf(pass).forEach(({ position, version }, row) => {
      const entry: Entry = { slot: first + row, spilled: null };
      const versions = this.entries.get(position) ?? new Map<number, Entry>();
      versions.set(version, entry);
      this.entries.set(position, versions);
      this.slots[first + row] = entry;
    });
  }

  /** Drops every entry not listed; names that do not exist are ignored. */
  retain(live: readonly KvRef[]): void {
    const kept = new Map<number, Map<number, Entry>>();
    for (const { position, version } of live) {
      const entry = this.entries.get(position)?.get(version);
      if (entry === undefined) continue;
      const versions = kept.get(position) ?? new Map<number, Entry>();
      versions.set(version, entry);
      kept.set(position, versions);
    }
    const alive = new Set([...kept.values()].flatMap((versions) => [...versions.values()]));
    this.slots.forEach((entry, slot) => {
      if (entry !== null && !alive.has(entry)) this.slots[slot] = null;
    });
    this.entries.clear();
    for (const [position, versions] of kept) this.entries.set(position, versions);
  }

  /** Values of an entry, [layers][K, V][width]. @throws CheckError when it does not exist */
  read(ref: KvRef): Float32Array {
    const entry = this.at(ref);
    return entry.spilled?.slice() ?? this.memory.read(entry.slot!);
  }

  private vacate(slot: number): void {
    const entry = this.slots[slot] ?? null;
    this.slots[slot] = null;
    if (entry === null || entry.slot !== slot) return;
    entry.spilled ??= this.memory.read(slot);
    entry.slot = null;
  }

  private at(ref: KvRef): Entry {
    const entry = this.entries.get(ref.position)?.get(ref.version);
    if (entry === undefined)
      throw new CheckError(`KV of position ${ref.position} version ${ref.version} does not exist`);
    return entry;
  }
}

/** Position and version of every row's entry. */
function refsOf(pass: Pass): KvRef[] {
  const groups = groupsOf(pass);
  const starts = groupStarts(groups);
  return groups.flatMap(({ rows, version }, index) =>
    pass.rows.slice(starts[index], starts[index]! + rows).map(({ position }) => ({ position, version })),
  );
}
