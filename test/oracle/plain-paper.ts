import type { Task } from './plain-decoder.js';
import type { PlainKey } from './plain-model.js';
import type { Asked, Scored } from './witness.js';

/** Options of arXiv:2606.13740 that the loops below are told; everything else is as its text says. */
export interface PaperOptions {
  /** Staged stabilization; without it one token per step is written, final at once. */
  readonly stages: { readonly visible: number; readonly stable: number } | null;
  readonly feedConfidence: number;
  readonly acceptConfidence: number;
  readonly lookahead: {
    readonly trigger: number;
    readonly maxRows: number;
    /** Extra time allowed, relative to the pass without. */
    readonly allowance: number;
    readonly time: (rows: number) => number;
  };
  /** Selective logits skipping. */
  readonly skip: boolean;
  readonly refresh: Refresh | null;
}

/** Sparse cache refresh: positions launched per step, per pass, and under way at a time. */
interface Refresh {
  readonly perStep: number;
  readonly batch: number;
  readonly maxInFlight: number;
}

/** Positions under refresh, with the token and key they had when it began. */
interface Flight {
  readonly id: string;
  readonly positions: readonly number[];
  readonly tokens: readonly number[];
  readonly had: readonly (PlainKey | null)[];
  readonly keys: readonly PlainKey[];
  readonly scores: readonly Scored[];
}

type State = 'mask' | 'V' | 'S';
const range = (start: number, end: number): number[] =>
  Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
const best = (scores: readonly Scored[]): Scored =>
  scores.reduce((a, b) => (b.confidence > a.confidence ? b : a));

/** What a position is, as the paper draws it: token, state, its cached key with its age, a draft. */
class Canvas {
  readonly token: number[];
  readonly state: State[];
  readonly key: (PlainKey | null)[];
  readonly draft: (Scored | null)[];
  private readonly age = new Map<PlainKey, number>();
  private passes = 0;

  constructor(readonly task: Task) {
    const { prompt, genLength, mask } = task;
    this.token = [...prompt, ...range(0, genLength).map(() => mask)];
    this.state = this.token.map((_, at): State => (at < prompt.length ? 'S' : 'mask'));
    this.key = this.token.map(() => null);
    this.draft = this.token.map(() => null);
  }

  get end(): number {
    return this.token.length;
  }

  run(rows: readonly Asked[], cached: readonly PlainKey[], wanted: ((position: number) => boolean) | null) {
    const { witness, score } = this.task;
    this.passes++;
    const done = witness.pass(rows, cached, wanted === null ? null : score, { wanted: wanted ?? undefined });
    for (const key of done.keys) this.age.set(key, this.passes);
    return done;
  }

  ageOf(position: number): number {
    const key = this.key[position];
    return key === null ? 0 : (this.age.get(key) as number);
  }

  /** Everything cached outside of some rows. */
  cached(rows: readonly number[]): PlainKey[] {
    return this.key.filter((key): key is PlainKey => key !== null && !rows.includes(key.position));
  }

  own(positions: readonly number[]): Asked[] {
    return positions.map((position) => ({ position, feed: this.token[position] }));
  }

  store(keys: readonly PlainKey[]): void {
    for (const key of keys) this.key[key.position] = key;
  }

  masks(start: number, end: number): number[] {
    return range(start, Math.min(end, this.end)).filter((position) => this.state[position] === 'mask');
  }

  become(position: number, token: number, state: State): void {
    this.token[position] = token;
    this.state[position] = state;
  }
}

/** §3.3: a mask becomes visible or stable by its confidence, the best one visible if none does; without stages §5.1. */
function commit(canvas: Canvas, open: readonly Scored[], { stages }: PaperOptions): Set<number> {
  if (open.length === 0) return new Set();
  const stateOf = (c: number): State => (stages === null || c >= stages.stable ? 'S' : 'V');
  const passing =
    stages === null ? [best(open)] : open.filter(({ confidence }) => confidence >= stages.visible);
  for (const { position, token, confidence } of passing) canvas.become(position, token, stateOf(confidence));
  if (passing.length > 0) return new Set(passing.map(({ position }) => position));
  const { position, token } = best(open);
  canvas.become(position, token, 'V');
  return new Set([position]);
}

/** §3.3: a visible token may change or settle in its block; in a finished block only settle. */
function revise(canvas: Canvas, scores: readonly Scored[], block: number, { stages }: PaperOptions): void {
  for (const { position, token, confidence } of scores) {
    const same = token === canvas.token[position];
    const mayChange = same || position >= block;
    if (stages === null || !mayChange) continue;
    if (confidence >= stages.stable) canvas.become(position, token, 'S');
    else if (confidence >= stages.visible) canvas.become(position, token, 'V');
  }
}

/** Staged stabilization alone: block by block, a pass over the finished block stores it. */
export function stagedBlocks(task: Task, options: PaperOptions): number[] {
  const canvas = new Canvas(task);
  canvas.store(canvas.run(canvas.own(range(0, task.prompt.length)), [], null).keys);
  for (let start = task.prompt.length; start < canvas.end; start += task.blockLength) {
    const rows = range(start, start + task.blockLength);
    while (canvas.masks(start, start + task.blockLength).length > 0) {
      const { scores } = canvas.run(canvas.own(rows), canvas.cached(rows), () => true);
      const visible = scores.filter(({ position }) => canvas.state[position] === 'V');
      const open = scores.filter(({ position }) => canvas.state[position] === 'mask');
      commit(canvas, open, options);
      revise(canvas, visible, start, options);
    }
    if (rows.length > 0 && start + task.blockLength < canvas.end)
      canvas.store(canvas.run(canvas.own(rows), canvas.cached(rows), null).keys);
  }
  return canvas.token.slice(task.prompt.length);
}

/** §3.2: a continuous window, drafts right of the block, lookahead near its end; §3.3 stages, skipping and refresh. */
export function slidingWindow(task: Task, options: PaperOptions): number[] {
  const { feedConfidence, acceptConfidence, lookahead, skip, refresh, stages } = options;
  const canvas = new Canvas(task);
  canvas.store(canvas.run(canvas.own(range(0, task.prompt.length)), [], null).keys);
  let left = task.prompt.length;
  let block = left;
  let flying: Flight[] = [];
  for (let step = 1; block < canvas.end; step++) {
    const window = range(left, Math.min(left + task.blockLength, canvas.end));
    const ahead: number[] = [];
    if (canvas.masks(block, block + task.blockLength).length <= lookahead.trigger) {
      const time = (more: number) => lookahead.time(window.length + more);
      for (let at = left + window.length; at < canvas.end && ahead.length < lookahead.maxRows; at++) {
        if (time(ahead.length + 1) - time(0) > lookahead.allowance * time(0)) break;
        ahead.push(at);
      }
    }
    const positions = [...window, ...ahead];
    const feed = (position: number): number => {
      const draft = canvas.draft[position];
      if (canvas.state[position] !== 'mask') return canvas.token[position];
      return draft !== null && draft.confidence >= feedConfidence ? draft.token : task.mask;
    };
    const rows = positions.map((position) => ({ position, feed: feed(position) }));
    const wanted = (position: number): boolean => !skip || canvas.state[position] !== 'S';
    const snapshot = canvas.cached([]);
    const main = canvas.run(rows, canvas.cached(positions), wanted);
    const groups = refresh === null ? [] : launches(canvas, positions, flying, refresh);
    groups.forEach((group, index) => {
      const read = snapshot.filter(({ position }) => !group.includes(position));
      flying.push({
        id: `${step}.${index + 1}`,
        positions: group,
        tokens: group.map((position) => canvas.token[position]),
        had: group.map((position) => canvas.key[position]),
        ...canvas.run(canvas.own(group), read, () => true),
      });
    });

    const inBlock = (position: number): boolean => position < block + task.blockLength;
    const undecided = main.scores.filter(({ position }) => canvas.state[position] === 'mask');
    const visible = main.scores.filter(({ position }) => canvas.state[position] === 'V');
    const open = undecided.filter(({ position }) => inBlock(position));
    const chosen = commit(canvas, open, options);
    for (const { position, token, confidence } of open) {
      if (canvas.draft[position] === null || confidence < acceptConfidence) continue;
      canvas.become(position, token, stages === null || confidence >= stages.stable ? 'S' : 'V');
      chosen.add(position);
    }
    for (const score of undecided) canvas.draft[score.position] = inBlock(score.position) ? null : score;
    revise(canvas, visible, block, options);

    while (block < canvas.end && canvas.masks(block, block + task.blockLength).length === 0)
      block += task.blockLength;
    // A row leaves when it is decided and was fed the very token it has; its key of this pass is kept.
    const settled = (position: number): boolean =>
      canvas.state[position] !== 'mask' &&
      rows.some((row) => row.position === position && row.feed === canvas.token[position]);
    while (left < canvas.end && settled(left)) left++;
    canvas.store(main.keys.filter(({ position }) => position < left));
    const landed = task.witness.landed(step);
    for (const flight of flying.filter(({ id }) => landed.includes(id))) land(canvas, flight, options);
    flying = flying.filter(({ id }) => !landed.includes(id));
  }
  return canvas.token.slice(task.prompt.length);
}

/** A refresh lands as a whole, unless one of its positions has changed since it began. */
function land(
  canvas: Canvas,
  { positions, tokens, had, keys, scores }: Flight,
  { stages }: PaperOptions,
): void {
  const unchanged = positions.every(
    (position, at) =>
      canvas.state[position] === 'V' &&
      canvas.token[position] === tokens[at] &&
      canvas.key[position] === had[at],
  );
  if (!unchanged || stages === null) return;
  scores.forEach(({ position, token, confidence }, at) => {
    const same = token === tokens[at];
    canvas.key[position] = keys[at];
    if (!same && confidence < stages.visible) return;
    // Stable only with a key made from the token it has.
    canvas.become(position, token, same && confidence >= stages.stable ? 'S' : 'V');
  });
}

/** Visible positions of the prefix that nobody works on, oldest key first, a few at a time. */
function launches(
  canvas: Canvas,
  busy: readonly number[],
  flying: readonly Flight[],
  { perStep, batch, maxInFlight }: Refresh,
): number[][] {
  const taken = [...busy, ...flying.flatMap(({ positions }) => positions)];
  const visible = range(0, canvas.end).filter(
    (position) =>
      canvas.state[position] === 'V' && canvas.key[position] !== null && !taken.includes(position),
  );
  visible.sort((a, b) => canvas.ageOf(a) - canvas.ageOf(b) || a - b);
  const chosen = visible.slice(0, Math.min(perStep, maxInFlight - (taken.length - busy.length)));
  return range(0, Math.ceil(chosen.length / batch)).map((group) =>
    chosen.slice(group * batch, (group + 1) * batch).sort((a, b) => a - b),
  );
}
