import { z } from 'zod';
import { UsageError } from '../src/errors.js';
import type { ModelConfig } from '../src/model/config.js';

/** Token ids: `1,2,3`. */
export const tokenIds = z.array(z.int().min(0).max(999_999_999));

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
