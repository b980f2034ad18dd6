import { DataError } from '../../errors.js';
import type { ModelConfig } from '../config.js';
import { familyOf } from '../families/index.js';
import { llama3Divisor, type RopeScaling } from '../rope.js';

/** The tensor in which llama.cpp keeps what every rotary frequency is divided by, [dims / 2]. */
export const ROPE_FACTORS = 'rope_freqs.weight';

/** All models with this scaling that are published were made from the same context (Llama 3.1 to 3.3). */
const PUBLISHED = { lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContext: 8192 } as const;

/** Divisors of a model's frequencies; null where none are stored. */
export function ropeFactorsOf({ ropeScaling, ...config }: ModelConfig): Float32Array | null {
  if (ropeScaling?.kind === 'factors') return Float32Array.from(ropeScaling.factors);
  if (ropeScaling?.kind !== 'llama3') return null;
  const half = (config.ropeDims ?? config.headDim) / 2;
  return Float32Array.from({ length: half }, (_, i) =>
    llama3Divisor(config.ropeTheta ** (-i / half), ropeScaling),
  );
}

/**
 * The model of a file with such divisors: the scaling they come from, where it can be told.
 * @param label of the file, for messages
 * @throws DataError for divisors that the keys contradict, or of another number
 */
export function withRopeFactors(config: ModelConfig, factors: Float32Array, label: string): ModelConfig {
  refuseFactors(config, (why) => new DataError(`${label}: ${ROPE_FACTORS}: ${why}`));
  const half = (config.ropeDims ?? config.headDim) / 2;
  if (factors.length !== half)
    throw new DataError(`${label}: ${ROPE_FACTORS} has ${factors.length} values, ${half} pairs rotate`);
  const stated = config.ropeScaling;
  const same = (ropeScaling: RopeScaling | undefined) =>
    ropeFactorsOf({ ...config, ropeScaling })?.every((factor, i) => close(factor, factors[i])) === true;
  if (stated?.kind === 'llama3' && same(stated)) return config;
  if (stated !== undefined)
    throw new DataError(
      `${label}: ${ROPE_FACTORS} says otherwise than the keys on rope scaling (${stated.kind})`,
    );
  if (factors.every((factor) => factor === 1)) return config;
  const published: RopeScaling = { kind: 'llama3', factor: Math.max(...factors), ...PUBLISHED };
  const ropeScaling: RopeScaling = same(published) ? published : { kind: 'factors', factors: [...factors] };
  return { ...config, ropeScaling };
}

/** llama.cpp loads such divisors for every family and leaves them out of the graphs of most. */
export function refuseFactors({ arch }: ModelConfig, error: (why: string) => Error): void {
  if (!familyOf(arch).gguf?.ropeFactors)
    throw error(
      `llama.cpp does not divide the rotary frequencies of ${arch} models: a GGUF file cannot say it`,
    );
}

/** Equal but for the rounding of f32, in which converters compute. */
function close(a: number, b: number): boolean {
  return Math.abs(a / b - 1) < 1e-5;
}
