import { z } from 'zod';
import { DataError } from '../errors.js';
import type { Prompt } from '../model/chat.js';
import { plainJson } from '../util/plain-json.js';
import { readLines } from '../util/read-lines.js';
import { refuseUnread } from './unread-fields.js';

/** One question of a data file. */
export interface DataCase {
  readonly prompt: Prompt;
  /** What is right; null where the file does not say. */
  readonly answer: string | null;
  /** Texts at whose first an answer ends, for who judges it; left out where there are none. */
  readonly until?: readonly string[];
}

/** An answer up to the first text that ends one. */
export function cutAnswer(text: string, { until = [] }: Pick<DataCase, 'until'>): string {
  return until.reduce((cut, stop) => cut.split(stop)[0], text);
}

const text = z.string().min(1);
const part = z.object({ type: z.literal('text'), text: z.string() });
const content = z.union(
  [z.string(), z.array(part).transform((parts) => parts.map((each) => each.text).join(''))],
  'expected a text, or a list of parts of type text: nothing else is read',
);
const message = z.looseObject({ role: text, content });
const ONE_ANSWER = 'expected one text or number that is right';
const answerText = z
  .union([z.string(), z.number().transform(String)], ONE_ANSWER)
  .refine((answer) => answer !== '', ONE_ANSWER);

/** What the harness asks a model to generate by. */
const settings = z.looseObject({
  until: z.union([text.transform((one) => [one]), z.array(text)]).nullish(),
});

interface Sample {
  readonly prompt: string;
  readonly until?: readonly string[];
}

const sample = (prompt: string, { until }: z.output<typeof settings> = {}): Sample => ({
  prompt,
  ...(until && until.length > 0 ? { until } : {}),
});

/** Samples of lm-evaluation-harness hold the prompt as sent, by name or (before 0.4.3) as a list. */
const sampleArguments = z.union([
  z
    .strictObject({ gen_args_0: z.strictObject({ arg_0: text, arg_1: settings.optional() }) })
    .transform(({ gen_args_0: { arg_0: prompt, arg_1: by } }) => sample(prompt, by)),
  z.tuple([z.tuple([text])]).transform(([[prompt]]) => sample(prompt)),
  z.tuple([z.tuple([text, settings])]).transform(([[prompt, by]]) => sample(prompt, by)),
]);

/** @throws DataError for a sample of another kind of task */
function sampleOf(asked: unknown, where: string): Sample | null {
  if (asked === undefined || asked === null) return null;
  const parsed = sampleArguments.safeParse(asked);
  if (parsed.success) return parsed.data;
  throw new DataError(
    `${where}: arguments: expected one prompt that is answered by generating; tasks that weigh given answers are not read`,
  );
}

/** `question` is GSM8K's name for the prompt, `target` that of lm-evaluation-harness for the answer. */
const lineSchema = z.looseObject(
  {
    messages: z
      .array(message.transform(({ role, content: said }) => ({ role, content: said })))
      .min(1)
      .nullish(),
    prompt: text.nullish(),
    question: text.nullish(),
    arguments: z.unknown().optional(),
    answer: answerText.nullish(),
    target: answerText.nullish(),
    doc_id: z.unknown().optional(),
  },
  'expected an object with "prompt", "question" or "messages": one a line, not a list of them',
);

/**
 * Questions of a JSON Lines file, one object a line: `messages`, `prompt`, `question` or a sample of
 * lm-evaluation-harness, with `answer` or `target` where the answer is known; empty lines are skipped. A question of the
 * harness that was logged several times, by filter or policy, is one.
 * @throws EnvironmentError when it cannot be read; DataError naming file and line, also for a field that would change
 *   the question and is not read
 */
export function readDataFile(path: string): DataCase[] {
  const seen = new Set<string>();
  const cases: DataCase[] = [];
  for (const { line, where } of readLines(path)) {
    const { documentId, ...found } = caseOf(line, where);
    const key = JSON.stringify([documentId, found.prompt, found.answer]);
    if (documentId !== undefined && seen.has(key)) continue;
    seen.add(key);
    cases.push(found);
  }
  if (cases.length === 0) throw new DataError(`${path}: no prompts`);
  return cases;
}

function caseOf(line: string, where: string): DataCase & { readonly documentId?: unknown } {
  let json: unknown;
  try {
    json = plainJson(line);
  } catch {
    throw new DataError(`${where}: not JSON: one object a line is read`);
  }
  const parsed = lineSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new DataError(`${where}: ${issue.path.join('.') || 'line'}: ${issue.message}`);
  }
  const { messages, prompt, question, answer, target, doc_id: documentId } = parsed.data;
  const asked = sampleOf(parsed.data.arguments, where);
  refuseUnread(parsed.data, where);
  // What the harness sent was made of the question, or of the messages.
  const given = Object.entries({ messages, prompt, question }).filter(([, value]) => value);
  if (given.length > 1)
    throw new DataError(`${where}: fields ${given.map(([name]) => `"${name}"`).join(' and ')}: keep one`);
  const [[, own] = [null, null]] = given;
  const found = (own as Prompt | null) ?? asked?.prompt;
  if (found === undefined)
    throw new DataError(`${where}: no text in field "prompt", "question" or "messages"`);
  if (answer && target && answer.trim() !== target.trim())
    throw new DataError(`${where}: fields "answer" and "target" differ: keep one`);
  const until = asked?.until;
  return { prompt: found, answer: answer ?? target ?? null, ...(until && { until }), documentId };
}
