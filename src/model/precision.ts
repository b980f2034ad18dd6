import { unknownName } from '../util/nearest.js';
import type { DType, Precision } from './graph.js';

/** Storage formats offered for the weights. */
export type Quant = 'f32' | 'f16' | 'q8_0' | 'q4_0';

/** Weight formats. */
export const QUANTS: readonly Quant[] = ['f32', 'f16', 'q8_0', 'q4_0'];

/** @throws UsageError with the nearest names */
export function quantByName(name: string): Quant {
  const found = QUANTS.find((quant) => quant === name);
  if (found === undefined) throw unknownName('quant', name, QUANTS);
  return found;
}

/**
 * Formats of a model as it runs. `f32` is the reference: everything in f32. The others follow llada.cpp
 * (arXiv:2606.13740): matrices, embedding and head in the named format, KV and activations in f16.
 * Gains, biases and the expert router always stay in f32, as llama.cpp's quantiser leaves them.
 */
export function precisionFor(quant: Quant, overrides: Partial<Precision> = {}): Precision {
  const running = quant === 'f32' ? 'f32' : 'f16';
  return { weights: quant, embedding: quant, head: quant, kv: running, activations: running, ...overrides };
}

/** Identifies a precision in cache keys and file names, e.g. `q4_0/q4_0/q4_0/f16/f16`; tensors of their own follow. */
export function precisionKey(precision: Precision): string {
  const { weights, embedding, head, kv, activations, tensors = {} } = precision;
  const others = Object.entries(tensors).map(([id, dtype]) => `${id}=${dtype}`);
  return [weights, embedding, head, kv, activations, ...others.sort()].join('/');
}

/** Gains, biases and router: too small and too sensitive to quantise. */
export const SMALL_WEIGHT_DTYPE = 'f32' satisfies DType;
