import { z } from 'zod';
import { DataError } from '../src/errors.js';
import { readText } from '../src/util/read-file.js';

/** `question` is GSM8K's name for it. */
const lineSchema = z.union([
  z.looseObject({ prompt: z.string().min(1) }).transform(({ prompt }) => prompt),
  z.looseObject({ question: z.string().min(1) }).transform(({ question }) => question),
]);

/**
 * Prompts of a JSON Lines file, one object a line with field `prompt` or `question`; empty lines are skipped.
 * @throws EnvironmentError when it cannot be read; DataError naming file and line
 */
export function readPrompts(path: string): string[] {
  const prompts = readText(path)
    .split('\n')
    .flatMap((line, index) => {
      if (line.trim() === '') return [];
      let json: unknown;
      try {
        json = JSON.parse(line);
      } catch {
        throw new DataError(`${path}:${index + 1}: not JSON`);
      }
      const parsed = lineSchema.safeParse(json);
      if (!parsed.success)
        throw new DataError(`${path}:${index + 1}: no text in field "prompt" or "question"`);
      return [parsed.data];
    });
  if (prompts.length === 0) throw new DataError(`${path}: no prompts`);
  return prompts;
}
