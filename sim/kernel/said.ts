import { UsageError } from '../../src/errors.js';
import { WEIGHT_DTYPES, type WeightDType } from '../../src/model/formats/blocks/index.js';
import { isPresetName } from '../../src/model/presets.js';
import { colonShape, listOf } from './dumped.js';

/** What a table says of a row outside the operator's name. */
export interface KernelHints {
  /** Rows, where the name has none. */
  readonly rows?: number;
  /** Cached positions, where the name has none. */
  readonly keys?: number;
  /** Preset, where the name is that of a layer's part (`gate+up`). */
  readonly model?: string;
  /** Format of weights. @defaultValue 'q4_0' */
  readonly weights?: WeightDType;
}

/** The words and numbers of a name. */
export class Said {
  readonly words: string;
  private readonly numbers = new Map<string, number>();

  constructor(
    readonly text: string,
    readonly hints: KernelHints,
  ) {
    this.words = text.toUpperCase();
    // A format is no number with a name.
    const bare = text.replace(/\b(i?q\d_\w+|b?f(16|32)|mxfp4|i(8|16|32|64))\b/gi, ' ');
    for (const [, name, value] of bare.matchAll(/\b([a-zA-Z_]+)\s?[~=:]?\s?(\d+)(?![\dx.])/g)) {
      if (!this.numbers.has(name.toLowerCase())) this.numbers.set(name.toLowerCase(), Number(value));
    }
  }

  has(pattern: RegExp): boolean {
    return pattern.test(this.words);
  }

  /** The first of these names that has a number. */
  number(...names: readonly string[]): number | undefined {
    for (const name of names) {
      const value = this.numbers.get(name);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  /** @throws UsageError naming what is missing */
  needed(what: string, value: number | undefined): number {
    if (value === undefined || value < 1) throw new UsageError(`"${this.text}": ${what} is not stated`);
    return value;
  }

  get rows(): number | undefined {
    const worded = /\b(\d+) ROWS?\b/.exec(this.words);
    return this.number('r', 'rows', 'nq') ?? (worded === null ? this.hints.rows : Number(worded[1]));
  }

  get weights(): WeightDType {
    // Of `q4_0 x f32 -> f32` and of `type_a=q4_0,type_b=f32` the first is the weights'.
    const places = WEIGHT_DTYPES.map((dtype) => ({
      dtype,
      at: this.text.replace(/\btype_b=\w+/i, '').search(new RegExp(`(?<![a-z\\d])${dtype}(?![a-z\\d])`, 'i')),
    })).filter(({ at }) => at >= 0);
    places.sort((a, b) => a.at - b.at);
    const isMatrix = !/^f32$/i.test(places[0]?.dtype ?? '') || !/\bx\s*f32\b/i.test(this.text);
    return (isMatrix ? places[0]?.dtype : undefined) ?? this.hints.weights ?? 'q4_0';
  }

  /** `[2048, 35]`, `2048x35`, `64x2048x8192`. */
  get extents(): readonly number[] {
    const dumped = listOf(this.text, 'ne', 'ne_a') ?? colonShape(this.text);
    if (dumped !== null) return dumped;
    const found = /\b(\d+)((?:\s*[x*,\u00d7]\s*\d+)+)\b/i.exec(this.text);
    if (found === null) return [];
    return [
      Number(found[1]),
      ...found[2]
        .split(/[x*,\u00d7]/i)
        .slice(1)
        .map(Number),
    ];
  }

  get model(): string | undefined {
    const word = this.text.split(/[\s,]+/).find((part) => isPresetName(part.toLowerCase()));
    return word?.toLowerCase() ?? this.hints.model;
  }
}
