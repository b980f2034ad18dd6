import { probabilityOf, scoreRow } from '../../../src/decode/rules/score-row.js';
import type { KvRef, Pass } from '../../../src/pass/pass.js';
import { TOY_MASK, TOY_VOCAB, type ToyEngine } from './toy-engine.js';

/**
 * Published loops written down plainly from their descriptions, with nothing of src/decode but the confidence
 * formula. Each returns the generated tokens; passes are compared through the engine.
 */
interface Scored {
  readonly position: number;
  readonly token: number;
  readonly confidence: number;
}

class Loop {
  readonly x: number[];
  version = 0;

  constructor(
    readonly engine: ToyEngine,
    readonly prompt: readonly number[],
    genLength: number,
  ) {
    this.x = [...prompt, ...Array.from({ length: genLength }, () => TOY_MASK)];
  }

  /** Forward of the given positions on the given cache. */
  async forward(positions: readonly number[], reads: readonly KvRef[]): Promise<Scored[]> {
    this.version++;
    const rows = positions.map((position) => ({ position, feed: this.x[position] }));
    const pass: Pass = {
      id: `${this.version}`,
      kind: 'denoise',
      lane: 'main',
      version: this.version,
      rows,
      reads: [...reads].sort((a, b) => a.position - b.position),
      visibility: 'all',
      logits: rows.map((_, row) => row),
    };
    const { logits } = await this.engine.run(pass);
    return positions.map((position, row) => ({ position, ...scoreRow(logits, row, TOY_VOCAB, TOY_MASK) }));
  }

  masksIn(start: number, end: number): number[] {
    return range(start, end).filter((position) => this.x[position] === TOY_MASK);
  }

  get answer(): number[] {
    return this.x.slice(this.prompt.length);
  }
}

const range = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, index) => start + index);

const bestFirst = (a: Scored, b: Scored): number => b.confidence - a.confidence || a.position - b.position;

/** Which of the masked rows of a block are committed. */
type Select = (masked: readonly Scored[], step: number) => readonly Scored[];

/** Fast-dLLM: rank 1 always, any other at or above tau. */
export const byThreshold =
  (tau: number): Select =>
  (masked) =>
    [...masked].sort(bestFirst).filter(({ confidence }, rank) => rank === 0 || confidence >= tau);

/** Fast-dLLM's factor: rank 1 always, then while c >= 1 - f / (n + 1) ... strictly above. */
export const byFactor =
  (factor: number): Select =>
  (masked) => {
    const sorted = [...masked].sort(bestFirst);
    let count = 0;
    while (count < sorted.length && (count + 2) * (1 - sorted[count].confidence) < factor) count++;
    return sorted.slice(0, Math.max(1, count));
  };

/** LLaDA: one token per step. */
export const oneByOne: Select = (masked) => [...masked].sort(bestFirst).slice(0, 1);

/** Fast-dLLM v1: a full pass opens each block; then block and suffix (prefix cache) or the block alone (dual cache). */
export async function fastDllm(
  engine: ToyEngine,
  prompt: readonly number[],
  genLength: number,
  blockLength: number,
  select: Select,
  dual: boolean,
): Promise<number[]> {
  const loop = new Loop(engine, prompt, genLength);
  const total = prompt.length + genLength;
  for (let start = prompt.length; start < total; start += blockLength) {
    const end = start + blockLength;
    const commit = (scores: readonly Scored[]): void => {
      const open = new Set(loop.masksIn(start, end));
      for (const { position, token } of select(
        scores.filter(({ position }) => open.has(position)),
        0,
      )) {
        loop.x[position] = token;
      }
    };
    commit(await loop.forward(range(0, total), []));
    const full = loop.version;
    const outside = dual ? [...range(0, start), ...range(end, total)] : range(0, start);
    const cache = outside.map((position) => ({ position, version: full }));
    while (loop.masksIn(start, end).length > 0) {
      commit(await loop.forward(range(start, dual ? end : total), cache));
    }
  }
  return loop.answer;
}

/** dKV-Cache-Decode: what was decided one step ago or earlier is fed once with its token, then read from the cache. */
export async function dkvDecode(
  engine: ToyEngine,
  prompt: readonly number[],
  genLength: number,
  blockLength: number,
  select: Select,
  refreshEvery: number,
): Promise<number[]> {
  const loop = new Loop(engine, prompt, genLength);
  const total = prompt.length + genLength;
  const cacheOf = new Map<number, number>();
  for (let start = prompt.length; start < total; start += blockLength) {
    const end = start + blockLength;
    let decidedBefore = new Set<number>();
    for (let i = 0; loop.masksIn(start, end).length > 0; i++) {
      const decided = new Set(range(0, total).filter((position) => loop.x[position] !== TOY_MASK));
      const partial = i > 1 && i % refreshEvery !== 0;
      const fed = range(0, total).filter((position) => !partial || !decidedBefore.has(position));
      const reads = range(0, total)
        .filter((position) => !fed.includes(position))
        .map((position) => ({ position, version: cacheOf.get(position) ?? -1 }));
      const scores = await loop.forward(fed, reads);
      for (const position of fed) cacheOf.set(position, loop.version);
      const open = new Set(loop.masksIn(start, end));
      for (const { position, token } of select(
        scores.filter(({ position }) => open.has(position)),
        i,
      )) {
        loop.x[position] = token;
      }
      decidedBefore = decided;
    }
  }
  return loop.answer;
}

/** WINO: wide-in above tau1, narrow-out by a masked copy of the block that sees all but its own counterpart. */
export async function wino(
  engine: ToyEngine,
  prompt: readonly number[],
  genLength: number,
  blockLength: number,
  tau1: number,
  tau2: number,
): Promise<number[]> {
  const loop = new Loop(engine, prompt, genLength);
  const { x } = loop;
  const total = prompt.length + genLength;
  for (let start = prompt.length; start < total; start += blockLength) {
    const block = range(start, start + blockLength);
    let lastAccepted = 30;
    for (let masked = loop.masksIn(start, start + blockLength); masked.length > 0; ) {
      const committed = block.filter((position) => x[position] !== TOY_MASK);
      loop.version += 2;
      const version = loop.version - 1;
      const rows = [
        ...range(0, total).map((position) => ({ position, feed: x[position] })),
        ...block.map((position) => ({ position, feed: TOY_MASK })),
      ];
      const wanted = [...range(0, total), ...committed.map((position) => total + position - start)];
      const shared = { kind: 'denoise' as const };
      const { logits } = await engine.run({
        id: `${version}`,
        ...shared,
        lane: 'main',
        version,
        rows,
        reads: [],
        visibility: {
          groups: [
            { ...shared, version, rows: total, sees: [], visibility: 'all' },
            { ...shared, version: version + 1, rows: blockLength, sees: [0], visibility: 'shadow' },
          ],
        },
        logits: wanted,
      });
      const scores = masked.map((position) => ({
        position,
        ...scoreRow(logits, position, TOY_VOCAB, TOY_MASK),
      }));
      const cap = Math.min(Math.max(Math.floor((7 * masked.length) / 10), 5), 20);
      const above = scores.filter(({ confidence }) => confidence > tau1).sort(bestFirst);
      const accepted = above.length > 0 ? above.slice(0, cap) : scores.sort(bestFirst).slice(0, 1);
      for (const { position, token } of accepted) x[position] = token;
      if (accepted.length > 1) {
        const weak = committed
          .map((position, index) => ({
            position,
            p: probabilityOf(logits, total + index, TOY_VOCAB, x[position]),
          }))
          .filter(({ p }) => p < tau2)
          .sort((a, b) => a.p - b.p || a.position - b.position);
        const back = weak.length >= lastAccepted ? weak.slice(0, lastAccepted - 1) : weak;
        for (const { position } of back) x[position] = TOY_MASK;
      }
      lastAccepted = accepted.length;
      masked = loop.masksIn(start, start + blockLength);
    }
  }
  return loop.answer;
}

/**
 * Block-causal decoding as SDAR and LLaDA2 do it: blocks from position 0, the prompt's full blocks are stored one by
 * one, the block that holds the rest of the prompt is completed first, and a finished block is run once more to be
 * stored. Commits everything strictly above tau, at least one.
 */
export async function blockCausal(
  engine: ToyEngine,
  prompt: readonly number[],
  genLength: number,
  blockLength: number,
  tau: number,
): Promise<number[]> {
  const loop = new Loop(engine, prompt, genLength);
  const total = prompt.length + genLength;
  let cache: KvRef[] = [];
  for (let start = 0; start < total; start += blockLength) {
    const end = Math.min(start + blockLength, total);
    const block = range(start, end);
    for (let open = loop.masksIn(start, end); open.length > 0; open = loop.masksIn(start, end)) {
      const scores = (await loop.forward(block, cache)).filter(({ position }) => open.includes(position));
      const sorted = scores.sort(bestFirst);
      for (const { position, token } of sorted.filter((row, rank) => rank === 0 || row.confidence > tau)) {
        loop.x[position] = token;
      }
    }
    if (end < total) {
      await loop.forward(block, cache);
      const { version } = loop;
      cache = [...cache, ...block.map((position) => ({ position, version }))];
    }
  }
  return loop.answer;
}
