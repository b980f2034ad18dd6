import { expect } from 'vitest';
import { uniformAt } from '../../src/decode/rules/random.js';
import { type PlainKey, softmax } from './plain-model.js';
import type { Asked, Scored, Scorer, Witness } from './witness.js';

/**
 * Every policy's published loop once more, on plain arrays, from the text of its source: nothing of src/decode but its
 * random numbers. A loop says which rows it computes, what they are fed and what they see; the witness compares.
 */
export interface Task {
  readonly witness: Witness;
  readonly prompt: readonly number[];
  readonly genLength: number;
  readonly blockLength: number;
  readonly mask: number;
  readonly score: Scorer;
  /** Rows carry counters of random numbers. */
  readonly draws: boolean;
  /** Tokens that end a text. */
  readonly ends: readonly number[];
}

type Pick = (
  open: readonly Scored[],
  at: { step: number; masks: number; block: number },
) => readonly Scored[];

const range = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, i) => start + i);
const bestFirst = (a: Scored, b: Scored): number => b.confidence - a.confidence || a.position - b.position;
const sorted = (scores: readonly Scored[]): Scored[] => [...scores].sort(bestFirst);

/** The text being written. */
class Text {
  readonly x: number[];
  readonly length: number;

  constructor(readonly task: Task) {
    this.x = [...task.prompt, ...range(0, task.genLength).map(() => task.mask)];
    this.length = this.x.length;
  }

  masks(start = 0, end = this.length): number[] {
    return range(start, end).filter((position) => this.x[position] === this.task.mask);
  }

  rows(positions: readonly number[]): Asked[] {
    const { mask, draws } = this.task;
    const draw = this.masks().length;
    return positions.map((position) => ({
      position,
      feed: this.x[position],
      draw: draws && this.x[position] === mask ? draw : null,
    }));
  }

  write(scores: readonly Scored[]): void {
    for (const { position, token } of scores) this.x[position] = token;
  }

  get answer(): number[] {
    return this.x.slice(this.task.prompt.length);
  }

  /** Blocks of the generated text. */
  blocks(origin = this.task.prompt.length): { start: number; end: number }[] {
    const { blockLength } = this.task;
    return range(0, Math.ceil((this.length - origin) / blockLength)).map((block) => ({
      start: origin + block * blockLength,
      end: Math.min(origin + (block + 1) * blockLength, this.length),
    }));
  }
}

// Which masks are written.

/** LLaDA: n tokens over s steps, the rest of the division to the first steps. */
export const quotas =
  (length: number, steps: number): Pick =>
  (open, { step }) =>
    sorted(open).slice(0, Math.floor(length / steps) + (step < length % steps ? 1 : 0));

/** llama.cpp ORIGIN: every mask with probability quota / masks, in the last step all. */
export const coins =
  (length: number, steps: number, seed: number): Pick =>
  (open, { step, masks, block }) => {
    const quota = Math.floor(length / steps) + (step < length % steps ? 1 : 0);
    return open.filter(
      ({ position }) => step >= steps - 1 || uniformAt(seed, block, step, position) < quota / masks,
    );
  };

/** Fast-dLLM: the best, and every other at or above tau. */
export const threshold =
  (tau: number, strict = false): Pick =>
  (open) =>
    sorted(open).filter(({ confidence: c }, rank) => rank === 0 || (strict ? c > tau : c >= tau));

/** Fast-dLLM: the longest run from the best on in which the n-th has (n + 1)(1 - c) < f, at least one. */
export const factor =
  (f: number): Pick =>
  (open) => {
    const order = sorted(open);
    const stop = order.findIndex(({ confidence }, n) => (n + 2) * (1 - confidence) >= f);
    return order.slice(0, stop < 0 ? order.length : Math.max(1, stop));
  };

/** Dream: of m masks trunc(m (1 - s / t)), in the last step all; origin draws for each. In f32. */
export const timeline =
  (steps: number, eps: number, origin: boolean, temperature: number, seed: number): Pick =>
  (open, { step, masks, block }) => {
    const f = Math.fround;
    const time = (k: number) => f(1 - f(f(k / steps) * f(1 - f(eps))));
    const share = step >= steps - 1 ? 1 : f(1 - f(time(step + 1) / time(step)));
    const coin = (position: number) => uniformAt(seed, block, step, position);
    if (origin) return open.filter(({ position }) => coin(position) < share);
    const rank = ({ confidence, position }: Scored) =>
      temperature === 0 ? confidence : confidence / temperature - Math.log(-Math.log(coin(position)));
    const order = [...open].sort((a, b) => rank(b) - rank(a) || a.position - b.position);
    return share === 1 ? order : order.slice(0, Math.trunc(f(masks * share)));
  };

/** EB: by rising entropy; a mask is taken for as long as those taken before sum to at most gamma nats. */
export const entropyBound =
  (gamma: number): Pick =>
  (open) => {
    const order = sorted(open);
    const taken: Scored[] = [];
    for (const score of order) {
      if (taken.reduce((sum, { confidence }) => sum + Math.log(1 / confidence), 0) > gamma) break;
      taken.push(score);
    }
    return taken;
  };

/** LocalLeap: anchors, or the best mask for one, and what is near them and half as sure. */
export const localLeap =
  (high: number, low: number, distance: number): Pick =>
  (open) => {
    const order = sorted(open);
    const anchors = order.filter(
      ({ confidence }, rank) => confidence >= high || (rank === 0 && order[0].confidence < high),
    );
    return order.filter(
      (score) =>
        anchors.includes(score) ||
        (score.confidence >= low &&
          anchors.some((anchor) => Math.abs(anchor.position - score.position) <= distance)),
    );
  };

/** Nemotron-Labs-Diffusion: threshold_ref, threshold_bound and cumulative_error; one mask at least. */
export const boundedRank =
  (bound: 'prefix' | 'either' | 'cumulative', tau: number, floor: number, factor: number): Pick =>
  (open) => {
    const order = sorted(open);
    const rank = (r: number) => 1 - factor / (r + 2);
    let count = 1;
    if (bound === 'either')
      return order.filter(({ confidence: c }, r) => r === 0 || c >= tau || (c >= floor && c >= rank(r)));
    if (bound === 'prefix')
      while (
        count <= order.length &&
        order.slice(0, count).every(({ confidence: c }, r) => c >= tau && c >= rank(r))
      )
        count++;
    else
      while (
        count <= order.length &&
        order.slice(0, count).reduce((p, { confidence: c }) => p + Math.log(c), 0) >= Math.log(tau)
      )
        count++;
    return order.slice(0, Math.max(1, count - 1));
  };

// Loops.

/** LLaDA, Dream, llama.cpp: the whole canvas in every step; with guidance once more with the prompt masked. */
export function wholeCanvas(task: Task, pick: Pick, guidance = 0): number[] {
  const text = new Text(task);
  const all = range(0, text.length);
  text.blocks().forEach(({ start, end }, block) => {
    for (let step = 0; text.masks(start, end).length > 0; step++) {
      const open = new Set(text.masks(start, end));
      const rows = text.rows(all);
      const blind = rows.map((row) =>
        row.position < task.prompt.length ? { ...row, feed: task.mask } : row,
      );
      const scores =
        guidance > 0 ? guided(task, rows, blind, guidance) : task.witness.pass(rows, [], task.score).scores;
      const candidates = scores.filter(({ position }) => open.has(position));
      text.write(pick(candidates, { step, masks: open.size, block }));
    }
  });
  return text.answer;
}

/** Unconditional + (scale + 1) (conditional - unconditional): both halves are asked for before either is judged. */
function guided(task: Task, rows: readonly Asked[], blind: readonly Asked[], scale: number): Scored[] {
  const without = task.witness.peek(blind);
  const { scores } = task.witness.pass(rows, [], task.score, {
    logits: (row, logits) =>
      logits.map((value, id) => without[row][id] + (scale + 1) * (value - without[row][id])),
  });
  task.witness.pass(blind, [], task.score);
  return scores;
}

/** Prophet: LLaDA's schedule, and everything at once when the answer's best two logits are on average as far apart as the third asks. */
export function prophet(
  task: Task,
  steps: number,
  answer: number,
  length: number,
  needed: readonly [number, number, number],
): number[] {
  const text = new Text(task);
  const [from, to] = [task.prompt.length + answer, task.prompt.length + answer + length];
  const blocks = text.blocks();
  let done = 0;
  for (const { start, end } of blocks)
    for (let step = 0; step < steps && text.masks(start, end).length > 0; step++) {
      const { scores, predict } = task.witness.pass(text.rows(range(0, text.length)), [], task.score);
      const gaps = scores.flatMap(({ position, gap }) => {
        if (position < from || position >= to) return [];
        const [best, second] = predict(position)
          .filter((_, id) => id !== task.mask)
          .sort((a, b) => b - a);
        task.witness.near(gap ?? Number.NaN, best - second);
        return [gap ?? Number.NaN];
      });
      const open = (first: number, last: number) =>
        scores.filter(({ position }) => text.masks(first, last).includes(position));
      done++;
      const progress = done / (steps * blocks.length);
      const third = progress < 0.33 ? 0 : progress < 0.67 ? 1 : 2;
      const sure = gaps.length > 0 && gaps.reduce((a, b) => a + b, 0) / gaps.length >= needed[third];
      text.write(
        sure
          ? open(0, text.length)
          : quotas(end - start, steps)(open(start, end), { step, masks: 0, block: 0 }),
      );
    }
  return text.answer;
}

/** KLASS: above tau, and moved by less than `limit` nats in each of the last `steps` steps, which a block has to have had. */
export function klass(task: Task, tau: number, limit: number, steps: number): number[] {
  const text = new Text(task);
  const newest = new Map<number, number[]>();
  const moves = new Map<number, number[]>();
  for (const { start, end } of text.blocks())
    for (let step = 0; text.masks(start, end).length > 0; step++) {
      const { scores, predict } = task.witness.pass(text.rows(range(0, text.length)), [], task.score);
      for (const { position, drift } of scores) {
        const now = softmax(predict(position));
        const before = newest.get(position);
        const log = (p: number) => Math.log(p + 1e-12);
        const kl = before && now.reduce((sum, p, id) => sum + p * (log(p) - log(before[id])), 0);
        if (kl !== undefined) moves.set(position, [...(moves.get(position) ?? []), kl]);
        newest.set(position, now);
        const last = (moves.get(position) ?? []).slice(-steps);
        if ((drift === undefined) !== last.length < steps) expect(drift).toBe(`of ${last.length} moves`);
        if (drift !== undefined) task.witness.near(drift, Math.max(...last));
      }
      const open = sorted(scores.filter(({ position }) => text.masks(start, end).includes(position)));
      const ready = open.filter(
        ({ confidence, drift }) =>
          step >= steps - 1 && confidence > tau && drift !== undefined && drift < limit,
      );
      text.write(ready.length > 0 ? ready : open.slice(0, 1));
    }
  return text.answer;
}

/** d3LLM: what a step writes. A block is active once a share of the one before is decided. */
function writeActive(text: Text, scores: readonly Scored[], entropy: number, opens: number): void {
  const blocks = text.blocks();
  // What is decided is counted: 1 - 4 / 5 is less than the 0.2 that opens the next block.
  const done = blocks.map(({ start, end }) => (end - start - text.masks(start, end).length) / (end - start));
  const first = done.findIndex((share) => share < 1);
  let last = first;
  while (last + 1 < blocks.length && done[last] >= opens) last++;
  const masks = text.masks();
  const open = scores.filter(({ position }) => masks.includes(position));
  const within = (from: number, to: number) =>
    open.filter(({ position }) => position >= blocks[from].start && position < blocks[to].end);
  const low = within(first, last).filter(({ confidence }) => Math.log(1 / confidence) < entropy);
  const own = within(first, first);
  const forced = own.some((score) => low.includes(score)) ? [] : sorted(own).slice(0, 1);
  text.write([...low, ...forced]);
}

/** d3LLM: the canvas in every step. */
export function activeBlocks(task: Task, entropy: number, opens: number): number[] {
  const text = new Text(task);
  const all = range(0, text.length);
  while (text.masks().length > 0)
    writeActive(text, task.witness.pass(text.rows(all), [], task.score).scores, entropy, opens);
  return text.answer;
}

/**
 * d3LLM with its delayed cache, with the forwards counted as it counts them: the first finished block that is not cached waits until
 * `delay` forwards lie behind the one that saw it finished, and while nothing else is cached they compute all and cache anew what was.
 */
export function activeBlocksCached(task: Task, entropy: number, opens: number, delay: number): number[] {
  const text = new Text(task);
  const states = [{ start: 0, end: task.prompt.length }, ...text.blocks()].map((block, index) => ({
    ...block,
    completedAt: index === 0 ? 0 : (null as number | null),
  }));
  let cache: PlainKey[] = [];
  for (let nfe = 1; text.masks().length > 0; nfe++) {
    const cachedTo = cache.length;
    let cacheTo = cachedTo;
    let stabilises = false;
    for (const state of states.filter(({ end }) => end > cachedTo)) {
      if (text.masks(state.start, state.end).length > 0) break;
      state.completedAt ??= nfe;
      stabilises = nfe - state.completedAt < delay;
      if (stabilises) break;
      cacheTo = state.end;
    }
    const anew = stabilises && cacheTo === cachedTo;
    const rows = text.rows(range(anew ? 0 : cachedTo, text.length));
    const { keys, scores } = task.witness.pass(rows, anew ? [] : cache, task.score);
    const kept = keys.filter(({ position }) => position < (anew ? cachedTo : cacheTo));
    cache = anew ? kept : [...cache, ...kept];
    writeActive(text, scores, entropy, opens);
  }
  return text.answer;
}

/** Block by block on cached prefix KV: a finished block is run once more with its tokens, and stored. */
export function cachedBlocks(task: Task, pick: Pick): number[] {
  const text = new Text(task);
  let cache = task.witness.pass(text.rows(range(0, task.prompt.length)), [], null).keys;
  text.blocks().forEach(({ start, end }, block) => {
    for (let step = 0; text.masks(start, end).length > 0; step++) {
      const open = text.masks(start, end);
      const { scores } = task.witness.pass(text.rows(range(start, end)), cache, task.score);
      const candidates = scores.filter(({ position }) => open.includes(position));
      text.write(pick(candidates, { step, masks: open.length, block }));
    }
    if (end < text.length)
      cache = [...cache, ...task.witness.pass(text.rows(range(start, end)), cache, null).keys];
  });
  return text.answer;
}

/** SDAR, LLaDA2: blocks from position 0; whole blocks of the prompt are stored one by one, each on those before it. */
export function blockCausal(task: Task, pick: Pick): number[] {
  const text = new Text(task);
  let cache: PlainKey[] = [];
  for (const { start, end } of text.blocks(0)) {
    for (let open = text.masks(start, end); open.length > 0; open = text.masks(start, end)) {
      const { scores } = task.witness.pass(text.rows(range(start, end)), cache, task.score);
      text.write(
        pick(
          scores.filter(({ position }) => open.includes(position)),
          { step: 0, masks: 0, block: 0 },
        ),
      );
    }
    if (end < text.length)
      cache = [...cache, ...task.witness.pass(text.rows(range(start, end)), cache, null).keys];
  }
  return text.answer;
}

/** LLaDA2.1: masks above tau or the best, tokens of the block that another one beats; once full, while a pass changes something. */
export function jointThreshold(task: Task, tau: number, edit: number, most: number): number[] {
  const text = new Text(task);
  let cache: PlainKey[] = [];
  for (const { start, end } of text.blocks(0)) {
    const own = text.masks(start, end);
    let changes = own.length;
    for (let edits = 0; changes > 0; ) {
      const open = text.masks(start, end);
      if (open.length === 0 && edits++ === most) break;
      const { scores } = task.witness.pass(text.rows(range(start, end)), cache, task.score);
      const filled = sorted(scores.filter(({ position }) => open.includes(position))).filter(
        ({ confidence }, rank, { 0: top }) => confidence > tau || (rank === 0 && top.confidence <= tau),
      );
      const edited = scores.filter(
        ({ position: at, token, confidence }) =>
          own.includes(at) && !open.includes(at) && token !== text.x[at] && confidence > edit,
      );
      text.write([...filled, ...edited]);
      changes = filled.length + edited.length;
    }
    if (end < text.length)
      cache = [...cache, ...task.witness.pass(text.rows(range(start, end)), cache, null).keys];
  }
  return text.answer;
}

/**
 * LLaDA2.2: as LLaDA2.1, with two tokens that are orders (SGLang's loop, a block as an array): the first takes its position away, the
 * second puts a mask before what stood there. Nothing moves left of a token that stood before the block.
 */
export function indel(
  task: Task,
  rule: { deleteId: number; splitId: number; tau: number; edit: number; edits: number },
): number[] {
  const orders = [rule.deleteId, rule.splitId];
  const text = new Text(task);
  let cache: PlainKey[] = [];
  for (const { start, end } of text.blocks(0)) {
    let x = text.x.slice(start, end);
    const stood = x.map((id) => id !== task.mask);
    const free = stood.lastIndexOf(true) + 1;
    let original = stood.map((fixed) => !fixed);
    const seen = new Set<string>();
    const tried = x.map(() => new Set<number>());
    let after = 0;
    for (let pass = 1; original.length > 0 && stood.includes(false); pass++) {
      const masks = range(0, x.length).filter((i) => x[i] === task.mask);
      const originals = masks.filter((i) => original[i]);
      if (originals.length === 0) after++;
      const forced = after > rule.edits || pass > task.blockLength + rule.edits;
      const again = seen.has(x.join()) && !forced;
      const { scores } = task.witness.pass(text.rows(range(start, end)), cache, task.score, {
        excludes: (position) => {
          const i = position - start;
          if (stood[i]) return [];
          return forced ? orders : [...new Set([...(again ? tried[i] : []), ...(i < free ? orders : [])])];
        },
      });
      const says = scores.map(({ token, instead }, i) =>
        orders.includes(token) && (forced || i < free) ? (instead ?? token) : token,
      );
      const sure = scores.map(({ confidence }) => confidence);
      const high = masks.filter((i) => sure[i] > rule.tau);
      const need = 1 + masks.length - originals.length;
      const best = [...masks].sort((a, b) => sure[b] - sure[a] || a - b).slice(0, need);
      const fill = forced || originals.length === 0 ? masks : high.length >= need ? high : best;
      const change = range(0, x.length).filter(
        (i) => !stood[i] && !masks.includes(i) && says[i] !== x[i] && sure[i] > rule.edit,
      );
      const written = [...fill, ...change].sort((a, b) => a - b);
      if (written.length === 0) break;
      const now = x.map((id, i) => (written.includes(i) ? says[i] : id));
      if (again) {
        const least = written.reduce((a, b) => (sure[b] < sure[a] ? b : a));
        now[least] = scores[least].instead ?? now[least];
      }
      seen.add(x.join());
      for (const i of written) tried[i].add(now[i]);
      const line = range(free, x.length).flatMap((i) => {
        if (now[i] === rule.deleteId) return [];
        if (now[i] === rule.splitId)
          return [
            { id: task.mask, own: false },
            { id: x[i], own: original[i] },
          ];
        return [{ id: now[i], own: original[i] }];
      });
      const held = range(free, x.length).map((_, at) => line[at] ?? { id: task.mask, own: false });
      x = [...now.slice(0, free), ...held.map(({ id }) => id)];
      original = [...original.slice(0, free), ...held.map(({ own }) => own)];
      text.x.splice(start, x.length, ...x);
      if (forced) break;
    }
    if (end < text.length)
      cache = [...cache, ...task.witness.pass(text.rows(range(start, end)), cache, null).keys];
  }
  return text.answer;
}

/** Fast-dLLM v2: sub-blocks from left to right; the pass that stores a block says the first token of the next. */
export function subBlocks(task: Task, length: number, tau: number): number[] {
  const text = new Text(task);
  let cache: PlainKey[] = [];
  for (const { start, end } of text.blocks(0)) {
    const rows = () => text.rows(range(start, end));
    for (let open = text.masks(start, end); open.length > 0; open = text.masks(start, end)) {
      const stop = start + length * (1 + Math.floor((open[0] - start) / length));
      const { scores } = task.witness.pass(rows(), cache, task.score);
      const own = sorted(scores.filter(({ position: at }) => open.includes(at) && at < stop));
      text.write(own.filter(({ confidence }, rank) => rank === 0 || confidence > tau));
    }
    if (end >= text.length) break;
    const over = text.x.slice(Math.max(start, task.prompt.length), end).find((id) => task.ends.includes(id));
    if (over !== undefined) {
      text.x.fill(over, end);
      break;
    }
    const opens = text.x[end] === task.mask;
    const { keys, scores } = task.witness.pass(rows(), cache, opens ? task.score : null, {
      next: true,
      wanted: (position) => position === end - 1,
    });
    cache = [...cache, ...keys];
    text.write(scores.map((score) => ({ ...score, position: end })));
  }
  return text.answer;
}

/** Fast-dLLM v1: a full pass opens each block; then block and suffix on its prefix, or the block alone on all its rest. */
export function fastDllm(task: Task, pick: Pick, dual: boolean): number[] {
  const text = new Text(task);
  for (const { start, end } of text.blocks()) {
    const write = (scores: readonly Scored[]) => {
      const open = text.masks(start, end);
      text.write(
        pick(
          scores.filter(({ position }) => open.includes(position)),
          { step: 0, masks: 0, block: 0 },
        ),
      );
    };
    const full = task.witness.pass(text.rows(range(0, text.length)), [], task.score);
    write(full.scores);
    const cache = full.keys.filter(({ position }) => position < start || (dual && position >= end));
    while (text.masks(start, end).length > 0)
      write(task.witness.pass(text.rows(range(start, dual ? end : text.length)), cache, task.score).scores);
  }
  return text.answer;
}

/** dKV-Cache-Decode: a token decided a step ago or earlier is fed once, then read; all anew every n steps of a block. */
export function dkv(task: Task, pick: Pick, refreshEvery: number): number[] {
  const text = new Text(task);
  const kept = new Map<number, PlainKey>();
  for (const { start, end } of text.blocks()) {
    let decidedBefore = new Set<number>();
    for (let i = 0; text.masks(start, end).length > 0; i++) {
      const open = text.masks(start, end);
      const decided = new Set(range(0, text.length).filter((position) => text.x[position] !== task.mask));
      const partial = i > 1 && i % refreshEvery !== 0;
      const fed = range(0, text.length).filter((position) => !partial || !decidedBefore.has(position));
      const cache = [...kept.values()].filter(({ position }) => !fed.includes(position));
      const { keys, scores } = task.witness.pass(text.rows(fed), cache, task.score);
      for (const key of keys) kept.set(key.position, key);
      text.write(
        pick(
          scores.filter(({ position }) => open.includes(position)),
          { step: i, masks: 0, block: 0 },
        ),
      );
      decidedBefore = decided;
    }
  }
  return text.answer;
}

/** WINO: wide-in above tau1; a masked copy of the block, blind to its own counterparts, takes weak tokens back. */
export function wino(task: Task, tau1: number, tau2: number): number[] {
  const text = new Text(task);
  for (const { start, end } of text.blocks()) {
    let last = 30;
    for (let open = text.masks(start, end); open.length > 0; open = text.masks(start, end)) {
      const committed = range(start, end).filter((position) => !open.includes(position));
      const canvas = task.witness.pass(text.rows(range(0, text.length)), [], task.score);
      const copy = range(start, end).map((position) => ({ position, feed: task.mask }));
      const shadow = task.witness.pass(
        copy,
        ({ position }) => canvas.keys.filter((key) => key.position !== position),
        task.score,
        { wanted: (position) => committed.includes(position) },
      );
      const scores = sorted(canvas.scores.filter(({ position }) => open.includes(position)));
      const above = scores.filter(({ confidence }) => confidence > tau1);
      const cap = Math.min(Math.max(Math.floor((7 * open.length) / 10), 5), 20);
      const accepted = above.length > 0 ? above.slice(0, cap) : scores.slice(0, 1);
      const said = (position: number) => task.witness.asked(position);
      const weak = committed.filter((position) => said(position) < tau2);
      weak.sort((a, b) => said(a) - said(b) || a - b);
      for (const position of committed)
        task.witness.near(said(position), softmax(shadow.predict(position))[text.x[position]]);
      text.write(accepted);
      if (accepted.length > 1)
        for (const position of weak.length >= last ? weak.slice(0, last - 1) : weak)
          text.x[position] = task.mask;
      last = accepted.length;
    }
  }
  return text.answer;
}

/** Next-token decoding: the prompt once, then one row per token, each seeing what is left of it, to the end of text. */
export function leftToRight(task: Task): number[] {
  const text = new Text(task);
  let cache: PlainKey[] = [];
  let from = 0;
  for (let next = task.prompt.length; next < text.length; next++) {
    const last = next - 1;
    const { keys, scores } = task.witness.pass(text.rows(range(from, next)), cache, task.score, {
      causal: true,
      wanted: (position) => position === last,
    });
    cache = [...cache, ...keys];
    const [{ token }] = scores;
    text.x[next] = token;
    if (task.ends.includes(token)) return text.x.fill(token, next).slice(task.prompt.length);
    from = next;
  }
  return text.answer;
}

/** Linear self-speculation: draft by masks that see each other, verify left to right, take the run that agrees and the token after it. */
export function selfSpeculation(task: Task, narrowest: number, widest: number): number[] {
  const text = new Text(task);
  const { length: start } = task.prompt;
  const first = task.witness.pass(text.rows(range(0, start)), [], task.score, {
    causal: true,
    wanted: (position) => position === start - 1,
  });
  let cache = first.keys;
  text.write([{ ...first.scores[0], position: start }]);
  let seed = start;
  let width = narrowest;
  const over = () => task.ends.includes(text.x[seed]);
  while (seed + 1 < text.length && !over()) {
    const rows = text.rows(range(seed, Math.min(seed + width, text.length)));
    const draft = task.witness.pass(rows, cache, task.score, {
      wanted: (position) => position > seed,
      adapter: true,
    }).scores;
    const fed = rows.map((row) => ({
      ...row,
      feed: draft.find(({ position }) => position === row.position)?.token ?? row.feed,
    }));
    const { keys, scores } = task.witness.pass(fed, cache, task.score, { causal: true });
    let taken = 0;
    while (
      taken < draft.length &&
      scores[taken].token === draft[taken].token &&
      !task.ends.includes(draft[taken].token)
    )
      taken++;
    const emitted = scores.slice(0, taken + 1).filter(({ position }) => position + 1 < text.length);
    text.write(emitted.map((score) => ({ ...score, position: score.position + 1 })));
    seed += emitted.length;
    cache = [...cache, ...keys.filter(({ position }) => position < seed)];
    const accepted = emitted.length - 1;
    if (accepted >= draft.length) width = Math.min(2 * width, widest);
    else if (accepted <= draft.length / 2) width = Math.max(Math.floor(width / 2), narrowest);
  }
  if (over()) text.x.fill(text.x[seed], seed);
  return text.answer;
}

/** WeDLM: tokens of the window first, then its masks, each row seeing those before it; masks below a limit are filled, or the lowest. */
export function streaming(task: Task, width: number, limit: number, penalty: number): number[] {
  const text = new Text(task);
  let [start, end] = [task.prompt.length, Math.min(task.prompt.length + width, text.length)];
  let cache = task.witness.pass(text.rows(range(0, start)), [], null, { causal: true }).keys;
  while (text.masks().length > 0) {
    const gaps = text.masks(start, end);
    const [first] = gaps;
    const filled = range(start, end).filter((position) => !gaps.includes(position));
    const { keys, scores } = task.witness.pass(text.rows([...filled, ...gaps]), cache, task.score, {
      ordered: true,
      wanted: (position) => gaps.includes(position),
    });
    cache = [...cache, ...keys.filter(({ position }) => position < first)];
    const cost = ({ position, confidence }: Scored) => -Math.log(confidence) + penalty * (position - first);
    const low = scores.filter((score) => cost(score) < limit);
    const lowest = [...scores].sort((a, b) => cost(a) - cost(b) || a.position - b.position).slice(0, 1);
    text.write(low.length > 0 ? low : lowest);
    const next = text.masks()[0] ?? text.length;
    const over = text.x.slice(first, next).find((id) => task.ends.includes(id));
    if (over !== undefined)
      text.write(text.masks().map((position) => ({ position, token: over, confidence: 0 })));
    [start, end] = [first, Math.min(text.length, end + next - first)];
  }
  return text.answer;
}
