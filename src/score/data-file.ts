import { z } from 'zod';
import { DataError } from '../errors.js';
import type { Prompt } from '../model/chat.js';
import { plainJson } from '../util/plain-json.js';
import { readText } from '../util/read-file.js';

/** One question of a data file. */
export interface DataCase {
  readonly prompt: Prompt;
  /** What is right; null where the file does not say. */
  readonly answer: string | null;
}

const text = z.string().min(1);
const message = z.looseObject({ role: text, content: z.string() });

/** Samples of lm-evaluation-harness hold the prompt as sent, by name or (before 0.4.3) as a list. */
const sampleArguments = z.union([
  z.looseObject({ gen_args_0: z.looseObject({ arg_0: text }) }).transform((a) => a.gen_args_0.arg_0),
  z.tuple([z.tuple([text], z.unknown())], z.unknown()).transform(([[prompt]]) => prompt),
]);

/** `question` is GSM8K's name for the prompt, `target` that of lm-evaluation-harness for the answer. */
const lineSchema = z
  .looseObject({
    messages: z
      .array(message.transform(({ role, content }) => ({ role, content })))
      .min(1)
      .optional(),
    prompt: text.optional(),
    question: text.optional(),
    arguments: sampleArguments.optional(),
    answer: z.union([z.string(), z.number()]).nullish(),
    target: z.union([z.string(), z.number()]).nullish(),
  })
  .transform(({ messages, prompt, question, arguments: sample, answer, target }) => {
    const right = answer ?? target;
    return {
      prompt: messages ?? prompt ?? question ?? sample,
      answer: right === null || right === undefined ? null : String(right),
    };
  });

/**
 * Questions of a JSON Lines file, one object a line: `messages`, `prompt`, `question` or a sample of
 * lm-evaluation-harness, with `answer` or `target` where the answer is known; empty lines are skipped.
 * @throws EnvironmentError when it cannot be read; DataError naming file and line
 */
export function readDataFile(path: string): DataCase[] {
  const cases = readText(path)
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [caseOf(line, `${path}:${index + 1}`)]));
  if (cases.length === 0) throw new DataError(`${path}: no prompts`);
  return cases;
}

function caseOf(line: string, where: string): DataCase {
  let json: unknown;
  try {
    json = plainJson(line);
  } catch {
    throw new DataError(`${where}: not JSON`);
  }
  const parsed = lineSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new DataError(`${where}: ${issue.path.join('.') || 'line'}: ${issue.message}`);
  }
  const { prompt, answer } = parsed.data;
  if (prompt === undefined)
    throw new DataError(`${where}: no text in field "prompt", "question" or "messages"`);
  return { prompt, answer };
}
