import type { Engine, PassResult } from '../../src/engine/engine.js';
import { CheckError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import { logicalPasses } from '../../src/pass/groups.js';
import type { KvRef, Pass } from '../../src/pass/pass.js';
import { hashNumbers } from '../../src/util/hash-numbers.js';
import type { Forward, PlainKey, PlainRow } from './plain-model.js';

/** A row is a number made of what it is fed, where it stands, and the sum of all it sees: whatever it should not see, or misses, is another. */
const stateOf = (seen: number, feed: number, position: number): number => hashNumbers(seen, feed, position);
/** What a row that is computed in the same pass, and one that was computed before, add to a sum. */
const beside = (feed: number, position: number): number => hashNumbers(feed, position, 1);
const before = (state: number, position: number): number => hashNumbers(state, position, 2);
const LIMIT = 2 ** 32;

/** Logits between 0 and 6: half habit of the position, half what the row is. */
function logitsOf(seed: number, state: number, position: number, vocab: number): number[] {
  const logits: number[] = [];
  for (let id = 0; id < vocab; id++) {
    const habit = hashNumbers(seed, position, id) / LIMIT;
    const mood = hashNumbers(state, id) / LIMIT;
    logits.push(Math.fround(3 * (habit * habit + mood * mood)));
  }
  return logits;
}

/** The model as an engine: what a pass says of its rows, in words. */
export class HashEngine implements Engine {
  readonly name = 'hash';
  private readonly kv = new Map<string, number>();

  constructor(
    readonly config: ModelConfig,
    private readonly seed: number,
  ) {}

  async run(pass: Pass): Promise<PassResult> {
    return { logits: Float32Array.from(logicalPasses(pass).flatMap((part) => this.part(part))) };
  }

  private part({ reads, rows, visibility, version, logits }: Pass): number[] {
    const cached = reads.map((ref) => {
      const state = this.kv.get(`${ref.position}:${ref.version}`);
      if (state === undefined) throw new CheckError(`no KV entry ${ref.position} version ${ref.version}`);
      return { position: ref.position, adds: before(state, ref.position) };
    });
    const states = rows.map(({ position, feed }, at) => {
      const seen = rows.filter((other, index) => {
        if (visibility === 'causal') return other.position <= position;
        if (visibility === 'ordered') return index <= at;
        return visibility !== 'self' || index === at;
      });
      const kept = cached.filter((entry) => visibility !== 'shadow' || entry.position !== position);
      const sum = [
        ...kept.map(({ adds }) => adds),
        ...seen.map((other) => beside(other.feed, other.position)),
      ];
      return stateOf(
        sum.reduce((a, b) => (a + b) % LIMIT, 0),
        feed,
        position,
      );
    });
    rows.forEach(({ position }, at) => {
      this.kv.set(`${position}:${version}`, states[at]);
    });
    return logits.flatMap((row) => logitsOf(this.seed, states[row], rows[row].position, this.config.vocab));
  }

  retain(live: readonly KvRef[]): void {
    const keep = new Set(live.map(({ position, version }) => `${position}:${version}`));
    for (const key of this.kv.keys()) if (!keep.has(key)) this.kv.delete(key);
  }

  readKv(): never {
    throw new Error('nobody reads this KV');
  }

  dispose(): void {
    this.kv.clear();
  }
}

/** The same model as a plain forward, which is told what each row sees. */
export class HashForward implements Forward {
  constructor(
    readonly config: ModelConfig,
    private readonly seed: number,
  ) {}

  run(
    rows: readonly PlainRow[],
    sees: (row: PlainRow, other: PlainRow) => boolean,
  ): { readonly keys: PlainKey[]; readonly logits: readonly (readonly number[])[] } {
    const adds = rows.map(({ position, feed }) => beside(feed, position));
    const states = rows.map((row) => {
      let sum = 0;
      for (const key of row.cached) sum = (sum + before(key.k[0][0], key.position)) % LIMIT;
      for (const [at, other] of rows.entries()) if (sees(row, other)) sum = (sum + adds[at]) % LIMIT;
      return stateOf(sum, row.feed, row.position);
    });
    return {
      keys: rows.map(({ position, feed }, at) => ({ position, feed, k: [[states[at]]], v: [] })),
      logits: rows.map(({ position }, at) => logitsOf(this.seed, states[at], position, this.config.vocab)),
    };
  }
}
