import { UsageError } from '../errors.js';
import type { Prompt } from './chat.js';
import type { ModelConfig } from './config.js';
import type { Tokenizer } from './tokenizer.js';

/** A prompt up to its first mask, and what follows it: an answer that is partly given. */
export interface SplitPrompt {
  readonly promptIds: readonly number[];
  /** From the first mask on; undefined where there is none. */
  readonly given?: readonly number[];
}

/** @param maskId of the model; null: it has none */
export function splitAtMask(ids: readonly number[], maskId: number | null): SplitPrompt {
  const first = maskId === null ? -1 : ids.indexOf(maskId);
  return first < 0 ? { promptIds: ids } : { promptIds: ids.slice(0, first), given: ids.slice(first) };
}

/**
 * A prompt with the vocabulary's own mask where the user's stands.
 * @param written how the user writes a mask; undefined: not at all
 * @throws UsageError for a model without a mask that can be written
 */
export function withMasks(
  { config, tokenizer }: { readonly config: ModelConfig; readonly tokenizer: Tokenizer | null },
  prompt: Prompt,
  written: string | undefined,
): Prompt {
  if (written === undefined) return prompt;
  const mask = config.maskId === null ? undefined : tokenizer?.token(config.maskId);
  if (mask === undefined) throw new UsageError(`--mask-token: ${config.name} has no mask token`);
  const filled = (text: string): string => text.replaceAll(written, () => mask);
  return typeof prompt === 'string'
    ? filled(prompt)
    : prompt.map(({ role, content }) => ({ role, content: filled(content) }));
}
