/**
 * How rotary frequencies of a model trained on short texts are stretched to longer ones. Formulas and defaults are
 * those of transformers' modeling_rope_utils.py and llama.cpp's ggml_rope_ext, which agree.
 */
export type RopeScaling =
  /** Positions divided by a factor (arXiv:2306.15595). */
  | { readonly kind: 'linear'; readonly factor: number }
  /** Low frequencies divided by a factor, high ones kept, a ramp between (Llama 3.1). */
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalContext: number;
    }
  /** YaRN (arXiv:2309.00071): a ramp over channels, and longer rows of Q and K. */
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalContext: number;
      /** Rotations over the original context above which a channel keeps its frequency, and below which it is divided. */
      readonly betaFast: number;
      readonly betaSlow: number;
      /** What cosines and sines are multiplied by. */
      readonly attentionFactor: number;
    }
  /** Every frequency divided by its own number: what GGUF files hold of a scaling they cannot name. */
  | { readonly kind: 'factors'; readonly factors: readonly number[] };

export interface RopeShape {
  /** Channels that rotate, the first of a head: channel i turns with channel i + dims / 2. */
  readonly dims: number;
  readonly theta: number;
  readonly scaling?: RopeScaling;
}

export interface Rotation {
  /** Angle per position of each of the dims / 2 pairs, in radians. */
  readonly frequencies: Float64Array;
  /** What cosines and sines are multiplied by. */
  readonly magnitude: number;
}

/** Frequencies of a rotary embedding, in f64. */
export function rotationOf({ dims, theta, scaling }: RopeShape): Rotation {
  const half = dims / 2;
  const plain = Float64Array.from({ length: half }, (_, i) => theta ** (-i / half));
  switch (scaling?.kind) {
    case undefined:
      return { frequencies: plain, magnitude: 1 };
    case 'linear':
      return { frequencies: plain.map((frequency) => frequency / scaling.factor), magnitude: 1 };
    case 'factors':
      return {
        frequencies: plain.map((frequency, i) => frequency / scaling.factors[i]),
        magnitude: 1,
      };
    case 'llama3':
      return {
        frequencies: plain.map((frequency) => frequency / llama3Divisor(frequency, scaling)),
        magnitude: 1,
      };
    case 'yarn': {
      const kept = yarnShare(dims, theta, scaling);
      return {
        frequencies: plain.map((frequency, i) => frequency * (kept(i) + (1 - kept(i)) / scaling.factor)),
        magnitude: scaling.attentionFactor,
      };
    }
  }
}

/** Identifies a rotation among those of a graph. */
export function rotationKey(headDim: number, { dims, theta, scaling }: RopeShape): string {
  const key = `${headDim}.${theta}`;
  return dims === headDim && scaling === undefined
    ? key
    : `${key}.${dims}.${JSON.stringify(scaling ?? null)}`;
}

/** What YaRN multiplies cosines and sines by where a model does not say. */
export function yarnAttentionFactor(factor: number): number {
  return factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
}

/** What `llama3` divides a frequency by. */
export function llama3Divisor(
  frequency: number,
  {
    factor,
    lowFrequencyFactor,
    highFrequencyFactor,
    originalContext,
  }: Extract<RopeScaling, { kind: 'llama3' }>,
): number {
  const rotations = (originalContext * frequency) / (2 * Math.PI);
  if (rotations > highFrequencyFactor) return 1;
  if (rotations < lowFrequencyFactor) return factor;
  const smooth = (rotations - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return 1 / ((1 - smooth) / factor + smooth);
}

/** Share of its own frequency that a channel pair keeps under YaRN. */
function yarnShare(
  dims: number,
  theta: number,
  { originalContext, betaFast, betaSlow }: Extract<RopeScaling, { kind: 'yarn' }>,
): (pair: number) => number {
  const pairOf = (rotations: number) =>
    (dims * Math.log(originalContext / (rotations * 2 * Math.PI))) / (2 * Math.log(theta));
  const low = Math.max(0, Math.floor(pairOf(betaFast)));
  const high = Math.min(dims - 1, Math.ceil(pairOf(betaSlow)));
  return (pair) => 1 - Math.min(1, Math.max(0, (pair - low) / Math.max(0.001, high - low)));
}
