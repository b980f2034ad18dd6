import { InvalidArgumentError } from 'commander';
import { UsageError } from '../src/errors.js';
import type { ModelConfig } from '../src/model/config.js';

/** Parser of token ids: `1,2,3`. */
export function tokenIds(text: string): number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.some((part) => !/^\d{1,9}$/.test(part))) {
    throw new InvalidArgumentError('Expected token ids separated by commas, such as 1,2,3.');
  }
  return parts.map(Number);
}

/**
 * @param generated positions that follow the ids
 * @param label begins the message, to tell one prompt of many
 * @throws UsageError when an id is outside the vocabulary, or there is not enough context
 */
export function checkIds(config: ModelConfig, ids: readonly number[], generated = 0, label = ''): void {
  const wrong = ids.find((id) => id >= config.vocab);
  if (wrong !== undefined) {
    throw new UsageError(
      `${label}token id ${wrong} is outside the vocabulary of ${config.name} (0 to ${config.vocab - 1})`,
    );
  }
  if (ids.length + generated > config.contextLength) {
    const total = generated === 0 ? `${ids.length} tokens` : `prompt ${ids.length} + generation ${generated}`;
    const what = generated === 0 ? 'give fewer' : 'shorten the prompt or --gen-length';
    throw new UsageError(
      `${label}${total} exceed the context of ${config.name} (${config.contextLength}): ${what}`,
    );
  }
}
