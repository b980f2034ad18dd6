import { UsageError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { WeightDType } from '../../src/model/formats/blocks/index.js';
import type { KernelSpec } from './spec.js';

/**
 * An operator of a layer of a model by the name of its part; null for a name that is none.
 * @param words upper case
 * @param keys cached positions, where attention is asked for
 * @throws UsageError for attention over an unknown number of positions
 */
export function ofModel(
  words: string,
  { hidden, ffn, heads, kvHeads, headDim, vocab }: ModelConfig,
  rows: number,
  keys: number | undefined,
  weights: WeightDType,
): KernelSpec | null {
  const product = (inWidth: number, ...outWidths: readonly number[]): KernelSpec => ({
    kind: 'product',
    rows,
    inWidth,
    outWidths,
    weights,
    adds: /\+\s*ADD\b/.test(words),
  });
  const q = heads * headDim;
  const kv = kvHeads * headDim;
  if (/ATTENTION|FLASH_?ATTN/.test(words)) {
    if (keys === undefined) throw new UsageError('attention needs its cached positions, e.g. nkv256');
    return { kind: 'attention', rows, keys, heads, kvHeads, headDim };
  }
  if (/Q\s*\+\s*K\s*\+\s*V|\bQKV\b/.test(words)) return product(hidden, q, kv, kv);
  if (/GATE\s*[+&]\s*UP/.test(words)) return product(hidden, ffn, ffn);
  if (/\bDOWN\b/.test(words)) return product(ffn, hidden);
  if (/\bGATE\b|\bUP\b/.test(words)) return product(hidden, ffn);
  if (/\bHEAD\b/.test(words)) return product(hidden, vocab);
  if (/\bO\b|\bOUT\b/.test(words)) return product(q, hidden);
  if (/\bQ\b/.test(words)) return product(hidden, q);
  if (/\b[KV]\b/.test(words)) return product(hidden, kv);
  return null;
}
