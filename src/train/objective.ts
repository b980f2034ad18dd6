import type { Random } from '../score/random.js';

/**
 * What a training batch shows and what it asks for. `tools/train/objective.py` has the same definitions.
 *
 * LLaDA: t ~ U(0, 1), every response token is masked with probability t, cross-entropy of the masked tokens
 * weighted 1 / max(t, `minimumT`), the prompt is never masked. Four layouts of the same objective:
 *
 * - `canvas`: the whole response; t applies to all of it
 * - `suffix`: a window of 32: before it visible, inside masked with probability t, after it masked
 * - `truncated`: the same, but the canvas ends where the window ends
 * - `blocks`: all windows of a response at once. Rows are prompt, clean response, noisy response; a visibility
 *   matrix lets window i see the prompt, the clean tokens before it and itself, which is what decoding with a
 *   frozen prefix KV computes
 *
 * Some visible tokens are replaced by another token; all visible ones also predict their original token at a
 * small weight, so that re-scoring a committed token means something.
 */
export const OBJECTIVE = {
  window: 32,
  minimumT: 0.1,
  layouts: { canvas: 0.25, suffix: 0.15, truncated: 0.2, blocks: 0.4 },
  /** Share of samples whose left tokens are revealed first, as in decoding. */
  slopedShare: 0.3,
  /** Share of samples with replaced tokens, at a rate of U(0, `corruptionMax`). */
  corruptedShare: 0.4,
  corruptionMax: 0.15,
  visibleWeight: 0.1,
} as const;

export type Layout = keyof typeof OBJECTIVE.layouts;

/** One batch for the operator graph. All sequences share `rows`, `positions` and `visibility`. */
export interface Batch {
  layout: Layout;
  sequences: number;
  /** Rows per sequence. */
  rows: number;
  /** [sequences * rows] */
  ids: Int32Array;
  /** [rows] */
  positions: Int32Array;
  /** [rows, rows] of ones and zeros; undefined when every row sees every row. */
  visibility: Float32Array | undefined;
  /** The rows of a sequence from this one on have targets. */
  first: number;
  /** [sequences * (rows - first)] */
  targets: Int32Array;
  /** Per target; the masked ones sum to about 1 in expectation. */
  weights: Float32Array;
}

export interface BatchOptions {
  maskId: number;
  /** Ids a corrupted token may become. */
  wordIds: readonly number[];
}

/** `count` values, each uniform in [0, 1), evenly spread as a group. */
function stratified(count: number, random: Random): number[] {
  const offset = random.next();
  return random.shuffle(Array.from({ length: count }, (_, i) => i)).map((i) => (i + offset) / count);
}

/** Half of the windows are decoding blocks, half start anywhere (sliding windows). */
function windowStart(length: number, random: Random): number {
  const { window } = OBJECTIVE;
  return random.next() < 0.5
    ? window * random.integer(0, length / window - 1)
    : random.integer(0, length - window);
}

export function sampleLayout(random: Random): Layout {
  let left = random.next();
  for (const [layout, share] of Object.entries(OBJECTIVE.layouts)) {
    left -= share;
    if (left < 0) return layout as Layout;
  }
  return 'blocks';
}

/** Windows of one layout: which window a response token is in, its place there (0 to 1), and who is counted. */
interface Windows {
  length: number;
  windowOf: number[];
  place: number[];
  /** Masked tokens here have weight; tokens after them are always masked. */
  counted: readonly [from: number, to: number];
}

function layWindows(layout: Layout, canvas: number, random: Random): Windows {
  const { window } = OBJECTIVE;
  const all = Array.from({ length: canvas }, (_, i) => i);
  if (layout === 'canvas') {
    return { length: canvas, windowOf: all.map(() => 0), place: all.map(() => 0.5), counted: [0, canvas] };
  }
  if (layout === 'blocks') {
    const offset = random.next() < 0.5 ? random.integer(0, window - 1) : 0;
    return {
      length: canvas,
      windowOf: all.map((i) => Math.floor((i - offset) / window) + 1),
      place: all.map((i) => ((i - offset + window) % window) / (window - 1)),
      counted: [0, canvas],
    };
  }
  const begin = windowStart(canvas, random);
  const length = layout === 'truncated' ? begin + window : canvas;
  const kept = all.slice(0, length);
  return {
    length,
    windowOf: kept.map(() => 0),
    place: kept.map((i) => (i - begin) / (window - 1)),
    counted: [begin, begin + window],
  };
}

/**
 * Builds a batch from prompts of one length and responses filled with end-of-text to the canvas.
 * @throws Error when the prompts differ in length
 */
export function makeBatch(
  prompts: readonly (readonly number[])[],
  responses: readonly (readonly number[])[],
  layout: Layout,
  options: BatchOptions,
  random: Random,
): Batch {
  const sequences = prompts.length;
  const p = prompts[0].length;
  if (prompts.some((prompt) => prompt.length !== p)) throw new Error('prompts of a batch differ in length');
  const windows = layWindows(layout, responses[0].length, random);
  const { length, windowOf } = windows;
  const last = windowOf[length - 1];
  // Nothing looks at the last window's clean rows.
  const clean = layout === 'blocks' ? windowOf.filter((w) => w < last).length : 0;
  const rows = p + clean + length;
  const batch: Batch = {
    layout,
    sequences,
    rows,
    ids: new Int32Array(sequences * rows),
    positions: Int32Array.from({ length: rows }, (_, i) => (i < p + clean ? i : i - clean)),
    visibility: layout === 'blocks' ? blocksVisibility(p, windowOf, clean) : undefined,
    first: p + clean,
    targets: new Int32Array(sequences * length),
    weights: new Float32Array(sequences * length),
  };
  const groups = last + 1;
  const times = stratified(sequences * groups, random);
  for (let s = 0; s < sequences; s++) {
    const response = responses[s].slice(0, length);
    const t = times.slice(s * groups, (s + 1) * groups);
    const masked = drawMask(windows, t, random);
    const noisy = corrupt(response, options.wordIds, random).map((id, i) =>
      masked[i] ? options.maskId : id,
    );
    batch.ids.set([...prompts[s], ...response.slice(0, clean), ...noisy], s * rows);
    batch.targets.set(response, s * length);
    batch.weights.set(weigh(windows, t, masked, sequences), s * length);
  }
  return batch;
}

function drawMask(
  { length, windowOf, place, counted }: Windows,
  t: readonly number[],
  random: Random,
): boolean[] {
  const sloped = t.map(() => random.next() < OBJECTIVE.slopedShare);
  return Array.from({ length }, (_, i) => {
    const group = windowOf[i];
    const probability = t[group] + (sloped[group] ? place[i] - 0.5 : 0);
    const drawn = random.next() < probability;
    return i >= counted[1] || (drawn && i >= counted[0]);
  });
}

function weigh(
  windows: Windows,
  t: readonly number[],
  masked: readonly boolean[],
  sequences: number,
): number[] {
  const [from, to] = windows.counted;
  const visible = masked.filter((hidden) => !hidden).length;
  return masked.map((hidden, i) => {
    if (!hidden) return OBJECTIVE.visibleWeight / visible / sequences;
    if (i < from || i >= to) return 0;
    return 1 / Math.max(t[windows.windowOf[i]], OBJECTIVE.minimumT) / (to - from) / sequences;
  });
}

/** Replaces tokens: half by any word, half by another token of the same response. */
function corrupt(response: readonly number[], wordIds: readonly number[], random: Random): number[] {
  const rate = random.next() < OBJECTIVE.corruptedShare ? random.next() * OBJECTIVE.corruptionMax : 0;
  return response.map((id) => {
    if (random.next() >= rate) return id;
    return random.pick(random.next() < 0.5 ? wordIds : response);
  });
}

/** Who sees whom in the `blocks` layout: [rows, rows] of ones and zeros. */
function blocksVisibility(p: number, windowOf: readonly number[], clean: number): Float32Array {
  const rows = p + clean + windowOf.length;
  const visibility = new Float32Array(rows * rows);
  // The prompt is window -1: everyone sees it, and it sees only itself.
  const step = (row: number) => (row < p ? -1 : windowOf[row < p + clean ? row - p : row - p - clean]);
  for (let row = 0; row < rows; row++) {
    for (let key = 0; key < rows; key++) {
      const noisyRow = row >= p + clean;
      const noisyKey = key >= p + clean;
      const seen = noisyKey
        ? noisyRow && step(key) === step(row)
        : noisyRow
          ? step(key) < step(row)
          : step(key) <= step(row);
      if (seen) visibility[row * rows + key] = 1;
    }
  }
  return visibility;
}
