/** Shapes as ggml prints them, innermost extent first: `ne=[4096,1,1,1]`, `[2048,35]`, `2048:35`, `2048x35`. */

/** The numbers of `name=[...]` in the words of test-backend-ops; null without them. */
export function listOf(text: string, ...names: readonly string[]): readonly number[] | null {
  const found = new RegExp(`\\b(?:${names.join('|')})\\s*=\\s*\\[([\\d,\\s]+)\\]`, 'i').exec(text);
  return found === null ? null : found[1].split(',').map(Number);
}

/** Outer extents of 1 say nothing; more than three are as three. */
export function folded(extents: readonly number[]): readonly number[] {
  const kept = [...extents];
  while (kept.length > 2 && kept[kept.length - 1] === 1) kept.pop();
  return kept.length <= 3
    ? kept
    : [kept[0], kept[1], kept.slice(2).reduce((product, each) => product * each, 1)];
}

const SHAPE = String.raw`(?:\w+\s*)?(?:\[\s*(\d+(?:\s*,\s*\d+){1,3})\s*\]|(?<![\d:])(\d+(?::\d+){1,3})(?![\d:]))`;

/** Weight, input and result of a product: `2048:8192 x 2048:35 -> 8192:35`, `q4_0[2048,8192] x f32[2048,35]`. */
export interface DumpedProduct {
  readonly weight: readonly number[];
  readonly input: readonly number[];
  readonly result: readonly number[] | null;
}

/** The tensors of a product in the words of the backend's logs; null for another notation. */
export function dumpedProduct(text: string): DumpedProduct | null {
  const found = new RegExp(
    `${SHAPE}\\s*[x*\u00d7]\\s*${SHAPE}(?:\\s*(?:->|\u2192|=)\\s*${SHAPE})?`,
    'i',
  ).exec(text);
  if (found === null) return null;
  const shape = (at: number): readonly number[] | null => {
    const numbers = found[at] ?? found[at + 1];
    return numbers === undefined ? null : numbers.split(/[:,]/).map(Number);
  };
  const [weight, input] = [shape(1), shape(3)];
  return weight === null || input === null ? null : { weight, input, result: shape(5) };
}

/** The first shape between colons; null without one. */
export function colonShape(text: string): readonly number[] | null {
  const found = /(?<![\d:])(\d+(?::\d+){1,3})(?![\d:])/.exec(text);
  return found === null ? null : found[1].split(':').map(Number);
}
