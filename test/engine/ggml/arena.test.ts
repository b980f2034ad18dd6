import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KvArena, type SlotMemory } from '../../../src/engine/ggml/arena.js';
import { CheckError } from '../../../src/errors.js';
import type { KvRef, Pass } from '../../../src/pass/pass.js';
import { denoisePass } from '../../support/passes.js';

/** Slots that hold one number. */
class Numbers implements SlotMemory {
  values: number[] = [];
  moves = 0;

  get capacity(): number {
    return this.values.length;
  }

  grow(slots: number): void {
    while (this.values.length < slots) this.values.push(0);
  }

  read(slot: number): Float32Array {
    return Float32Array.of(this.values[slot]);
  }

  write(slot: number, [value]: Float32Array): void {
    this.moves++;
    this.values[slot] = value;
  }
}

const rows = (positions: readonly number[]) => positions.map((position) => ({ position, feed: 0 }));
const nameOf = ({ position, version }: KvRef) => position * 1000 + version;

/** What an engine does: K and V of a row are its name here. */
function run(arena: KvArena, memory: Numbers, pass: Pass): void {
  const first = arena.place(pass);
  expect(first).toBe(pass.reads.length);
  expect(memory.values.slice(0, first)).toEqual(pass.reads.map(nameOf));
  pass.rows.forEach(({ position }, row) => {
    memory.values[first + row] = nameOf({ position, version: pass.version });
  });
  arena.commit(pass);
}

describe('the arena', () => {
  it('gives every pass what it reads, in its order, whatever was written and dropped before', () => {
    const step = fc.record({
      positions: fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 6 }),
      reads: fc.infiniteStream(fc.nat(1000)),
      readCount: fc.nat(8),
      drops: fc.array(fc.nat(1000), { maxLength: 6 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const memory = new Numbers();
        const arena = new KvArena(memory);
        let live: KvRef[] = [];
        steps.forEach(({ positions, reads, readCount, drops }, version) => {
          const picks = [...reads.take(readCount)].map((at) => live[at % Math.max(1, live.length)]);
          const wanted = [...new Set(picks.filter((ref) => ref !== undefined))];
          run(arena, memory, denoisePass(version, rows(positions), { reads: wanted }));
          live.push(...positions.map((position) => ({ position, version })));
          for (const ref of live) expect([...arena.read(ref)]).toEqual([nameOf(ref)]);
          const dropped = new Set(drops.map((at) => at % live.length));
          live = live.filter((_, at) => !dropped.has(at));
          arena.retain(live);
          expect(arena.size).toBe(live.length);
        });
      }),
    );
  });

  it('moves nothing while a prefix grows at its end', () => {
    const memory = new Numbers();
    const arena = new KvArena(memory);
    const prefix: KvRef[] = [];
    let version = 0;
    for (let block = 0; block < 4; block++) {
      const positions = [0, 1, 2].map((at) => 3 * block + at);
      // Guesses that are dropped, then the block itself.
      for (let guess = 0; guess < 3; guess++) {
        run(arena, memory, denoisePass(version++, rows(positions), { reads: [...prefix] }));
        arena.retain(prefix);
      }
      run(arena, memory, denoisePass(version, rows(positions), { reads: [...prefix] }));
      prefix.push(...positions.map((position) => ({ position, version })));
      version++;
    }
    expect(memory.moves).toBe(0);
  });

  it('refuses what does not exist and what does already, and has moved nothing then', () => {
    const memory = new Numbers();
    const arena = new KvArena(memory);
    run(arena, memory, denoisePass(1, rows([0, 1])));
    const before = [...memory.values];
    const reads = [{ position: 0, version: 7 }];
    expect(() => arena.place(denoisePass(2, rows([2]), { reads }))).toThrow(CheckError);
    expect(() => arena.place(denoisePass(1, rows([1])))).toThrow(/position 1 version 1 written twice/);
    expect(() => arena.place(denoisePass(2, rows([3, 3])))).toThrow(/position 3 version 2 written twice/);
    expect(() => arena.read({ position: 9, version: 1 })).toThrow(CheckError);
    expect(memory.values).toEqual(before);
  });
});
