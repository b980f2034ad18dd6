import type { DecodingPolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import type { Engine } from '../../src/engine/engine.js';
import { textLength } from '../../src/model/text-length.js';
import type { Tokenizer } from '../../src/model/tokenizer.js';

export interface DecodedProblem {
  readonly problem: number;
  readonly tokens: readonly number[];
  /** Up to the end token. */
  readonly text: string;
  readonly steps: number;
}

export interface ProblemsRequest {
  readonly policy: DecodingPolicy;
  readonly tokenizer: Tokenizer;
  readonly problems: readonly { readonly index: number; readonly promptIds: readonly number[] }[];
  readonly genLength: number;
  readonly signal?: AbortSignal;
  /** Told of positions that are decided, over all problems. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Decodes problems one after the other on an engine. */
export async function decodeProblems(
  engine: Engine,
  { policy, tokenizer, problems, genLength, signal, onProgress }: ProblemsRequest,
): Promise<DecodedProblem[]> {
  const decoded: DecodedProblem[] = [];
  for (const { index, promptIds } of problems) {
    const { tokens, steps } = await decode({
      policy,
      engine,
      promptIds,
      genLength,
      signal,
      onStep: (_, { positions, promptLength }) => {
        const settled = positions.slice(promptLength).filter(({ state }) => state === 'V' || state === 'S');
        onProgress?.(decoded.length * genLength + settled.length, problems.length * genLength);
      },
    });
    const text = tokenizer.decode(tokens.slice(0, textLength(tokens, engine.config.endIds)));
    decoded.push({ problem: index, tokens, text, steps: steps.length });
  }
  return decoded;
}
