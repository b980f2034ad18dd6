import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { UsageError } from '../errors.js';
import { createTokenizer } from '../model/tokenizer.js';
import { readDataFile } from '../score/data-file.js';
import { hashText } from '../score/random.js';
import { buildTokenizerJson } from '../score/tokenizer-json.js';
import { SPECIAL_TOKENS } from '../score/vocabulary.js';
import { readJsonAs } from '../util/read-file.js';
import { encodePairs, type Pair, pairsOf, templateFor } from './examples.js';
import { OBJECTIVE } from './objective.js';
import { drawExamples, generatorSchema } from './task-generator.js';
import type { TrainingTask } from './training-task.js';

/** A training step on a CPU holds all rows of a batch at once. */
const MAX_ROWS = 1024;
/** Words that get a token of their own, the most frequent ones; others are spelled in bytes. */
const MAX_WORDS = 2048;

/** A task of one's own. */
export const taskFileSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[\w.-]+$/, 'a name has letters, digits, points, dashes and underscores')
      .describe('of the model that comes out'),
    data: z.string().min(1).optional().describe('JSON Lines of questions with answers, beside this file'),
    generator: generatorSchema.optional().describe('draws questions with answers'),
    canvas: z
      .int()
      .multipleOf(OBJECTIVE.window)
      .min(OBJECTIVE.window)
      .max(MAX_ROWS)
      .optional()
      .describe('positions of an answer, its end included (default: the fewest that hold every answer)'),
    heldOut: z
      .number()
      .min(0)
      .max(0.9)
      .default(0.1)
      .describe('share of the questions that training never sees'),
  })
  .refine(({ data, generator }) => (data === undefined) !== (generator === undefined), {
    message: 'give one of "data" and "generator"',
  });

/**
 * A task from its description: examples, the vocabulary of their words, and what is kept back.
 * @throws EnvironmentError or DataError for a file; UsageError for an example without an answer, or too long
 */
export function openTaskFile(path: string): TrainingTask {
  const { name, data, generator, canvas: asked, heldOut: share } = readJsonAs(path, taskFileSchema);
  const pairs = data === undefined ? drawnPairs(path, generator) : dataPairs(resolve(dirname(path), data));
  const kept = pairs.filter(({ prompt }) => isHeldOut(prompt, share));
  const trained = pairs.filter(({ prompt }) => !isHeldOut(prompt, share));
  if (trained.length === 0)
    throw new UsageError(`${path}: no examples are left to train on: lower "heldOut"`);
  const json = buildTokenizerJson(frequentWords(pairs));
  const tokenizer = createTokenizer(json, `tokenizer of ${name}`);
  const template = templateFor(pairs);
  const most = { prompt: MAX_ROWS, canvas: asked ?? MAX_ROWS, from: path };
  const examples = encodePairs(pairs, tokenizer, template, most);
  const { window } = OBJECTIVE;
  const longest = examples.reduce((length, { response }) => Math.max(length, response.length), 0);
  const canvas = asked ?? window * Math.ceil((longest + 1) / window);
  const rows = canvas + examples.reduce((length, { prompt }) => Math.max(length, prompt.length), 0);
  if (rows > MAX_ROWS)
    throw new UsageError(
      `${path}: its longest prompt and ${canvas} positions are ${rows} rows, more than ${MAX_ROWS}`,
    );
  const responses = encodePairs(trained, tokenizer, template, { ...most, canvas });
  return {
    name,
    tokenizer: json,
    template,
    examples: responses,
    heldOut: kept.map(({ prompt, answer }) =>
      JSON.stringify(typeof prompt === 'string' ? { prompt, answer } : { messages: prompt, answer }),
    ),
    canvas,
    rows,
    wordIds: [...new Set(responses.flatMap(({ response }) => response))].filter(
      (id) => id >= SPECIAL_TOKENS.length,
    ),
  };
}

function drawnPairs(path: string, generator: z.infer<typeof generatorSchema> | undefined): readonly Pair[] {
  if (generator === undefined) return [];
  return drawExamples(generator, path).map((drawn, index) => ({
    ...drawn,
    where: `${path}: example ${index}`,
  }));
}

function dataPairs(path: string): readonly Pair[] {
  return pairsOf(path, readDataFile(path));
}

/** By the prompt alone, so that a question never stands on both sides. */
function isHeldOut(prompt: Pair['prompt'], share: number): boolean {
  const text = typeof prompt === 'string' ? prompt : JSON.stringify(prompt);
  return hashText(text) < share * 2 ** 32;
}

/** Words as the tokenizer cuts them behind a space (GPT-2's expression), the most frequent first. */
function frequentWords(pairs: readonly Pair[]): readonly string[] {
  const counts = new Map<string, number>();
  const count = (text: string): void => {
    for (const [, word] of ` ${text}`.matchAll(/ (\p{L}+|\p{N}+|[^\s\p{L}\p{N}]+)/gu))
      counts.set(word, (counts.get(word) ?? 0) + 1);
  };
  for (const { prompt, answer } of pairs) {
    for (const text of typeof prompt === 'string' ? [prompt] : prompt.map(({ content }) => content))
      count(text);
    count(answer);
  }
  return [...counts]
    .sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1))
    .slice(0, MAX_WORDS)
    .map(([word]) => word);
}
