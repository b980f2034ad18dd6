import { FLOOR, type SyntheticCase, streamAt, TOKENS } from './engine.js';
import {
  type Before,
  beforeNext,
  confidenceOf,
  contextOf,
  type Latent,
  latentAt,
  type ProcessParameters,
  RIGHT,
  wholeOf,
} from './process.js';

/** First tokens of a decode. */
export interface PlainCommit {
  /** From the start of its block. */
  readonly offset: number;
  /** Step within the block, from 1. */
  readonly step: number;
  readonly confidence: number;
}

export interface PlainDecode {
  readonly steps: number;
  readonly commits: readonly PlainCommit[];
}

const latents = new Map<number, Latent[]>();

/** A case's latents do not depend on the parameters: a fit asks for the same ones again and again. */
function latentsOf(seed: number, length: number): readonly Latent[] {
  const found = latents.get(seed);
  if (found !== undefined && found.length >= length) return found;
  const made = Array.from({ length }, (_, position) => latentAt(seed, position, TOKENS));
  latents.set(seed, made);
  return made;
}

/**
 * The policy `threshold` on the process, written out: block by block, every masked position at `tau` or above is
 * committed, else the best one. The same decode as a session's (a test compares them), a hundred times as fast,
 * because a fit needs some hundred thousand of them.
 */
export function plainThreshold(
  parameters: ProcessParameters,
  { seed, promptLength, textLength }: SyntheticCase,
  genLength: number,
  blockLength: number,
  tau: number,
): PlainDecode {
  const end = promptLength + genLength;
  const known = latentsOf(seed, streamAt(end, promptLength));
  const commits: PlainCommit[] = [];
  const confidences = new Float64Array(blockLength);
  let steps = 0;
  const scale = parameters.densityScale;
  let before: Before = { sum: wholeOf(scale), gap: 0 };
  for (let start = promptLength; start < end; start += blockLength) {
    const weights = new Float64Array(blockLength);
    let masked = Array.from({ length: blockLength }, (_, offset) => offset);
    for (let step = 1; masked.length > 0; step++) {
      steps++;
      const { gap, density } = contextOf(weights, scale, before);
      let best = masked[0] as number;
      for (const offset of masked) {
        const position = start + offset;
        const row = {
          gap: gap[offset] as number,
          density: density[offset] as number,
          afterEnd: position >= promptLength + textLength,
          fed: false,
        };
        confidences[offset] = confidenceOf(
          parameters,
          known[streamAt(position, promptLength)] as Latent,
          row,
          FLOOR,
        );
        if ((confidences[offset] as number) > (confidences[best] as number)) best = offset;
      }
      const limit = Math.min(tau, confidences[best] as number);
      const left: number[] = [];
      for (const offset of masked) {
        const confidence = confidences[offset] as number;
        if (confidence < limit) {
          left.push(offset);
          continue;
        }
        const { settledAt } = known[streamAt(start + offset, promptLength)] as Latent;
        const right = start + offset >= promptLength + textLength || confidence >= settledAt;
        weights[offset] = right ? RIGHT : parameters.wrongWeight;
        commits.push({ offset, step, confidence });
      }
      masked = left;
    }
    before = beforeNext(weights, scale, before);
  }
  return { steps, commits };
}
