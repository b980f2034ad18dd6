import { z } from 'zod';
import { DataError } from '../../src/errors.js';
import { plainJson } from '../../src/util/plain-json.js';
import { readText } from '../../src/util/read-file.js';

const id = z.int().min(-1);
/** A softmax in f32 or bf16 may end a hair above 1. */
const ROUNDING = 1e-6;
const confidence = z
  .number()
  .min(0)
  .max(1 + ROUNDING)
  .transform((value) => Math.min(1, value));

const stepSchema = z.strictObject({
  /** Predicted token of every generated position; -1 where the step predicted none. */
  tokens: z.array(id).min(1),
  /** Confidence of each, 0 to 1; left out where the recorder kept none. */
  confidences: z.array(confidence).optional(),
  /** Generated positions, from 0, that were still masked when the step began. */
  masked: z.array(z.int().min(0)),
});

/** One recorded decode: what was predicted at each position in each step. */
export const trajectorySchema = z.strictObject({
  id: z.string().optional(),
  /** Tokens of the prompt; only counted. */
  promptTokens: z.int().min(0),
  /** Generated positions before the end of the text; left out where the text fills the answer. */
  textTokens: z.int().min(0).optional(),
  steps: z.array(stepSchema).min(1),
  /** Whether the answer was right, read from the predictions of each step. */
  right: z.array(z.boolean()).optional(),
  /** Right token of every generated position, in place of `right`. */
  reference: z.array(id).optional(),
  /** Generated positions that hold the answer, in place of all. */
  answer: z.array(z.int().min(0)).min(1).optional(),
});

/** A history of sequences, as Dream's `output_history` and copies of LLaDA's loop keep it. */
const historySchema = z.strictObject({
  id: z.string().optional(),
  promptTokens: z.int().min(0),
  textTokens: z.int().min(0).optional(),
  /** Token that masks. */
  maskId: z.int().min(0),
  /** The whole sequence, prompt included, after each step. */
  history: z.array(z.array(z.int().min(0))).min(1),
  /** The first sequence is that before the first step. Asked for where the first sequence is all masks. */
  initial: z.boolean().optional(),
  right: z.array(z.boolean()).optional(),
  reference: z.array(id).optional(),
  answer: z.array(z.int().min(0)).min(1).optional(),
});

export type Trajectory = Readonly<z.infer<typeof trajectorySchema>>;
type History = z.infer<typeof historySchema>;

/**
 * Recorded decodes of a JSON Lines file, one decode a line (docs/workloads.md has the fields). Two forms: predictions
 * with confidences, and histories of sequences, which say what was committed and nothing about the rest.
 * @throws EnvironmentError when it cannot be read; DataError naming file and line
 */
export function readTrajectories(path: string): Trajectory[] {
  const read = readText(path)
    .split('\n')
    .flatMap((line, at) => (line.trim() === '' ? [] : [parseTrajectory(line, `${path}:${at + 1}`)]));
  if (read.length === 0) throw new DataError(`${path}: no trajectories`);
  return read;
}

/** @param where names the line in messages. @throws DataError */
export function parseTrajectory(line: string, where: string): Trajectory {
  let json: unknown;
  try {
    json = plainJson(line);
  } catch {
    throw new DataError(`${where}: ${notJson(line)}`);
  }
  const isHistory = typeof json === 'object' && json !== null && 'history' in json;
  const parsed = isHistory ? historySchema.safeParse(json) : trajectorySchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new DataError(`${where}: ${issue.path.join('.') || 'line'}: ${issue.message}`);
  }
  const trajectory = 'history' in parsed.data ? ofHistory(parsed.data, where) : parsed.data;
  checkLengths(trajectory, where);
  return trajectory;
}

/** Why a line cannot be read, for those who wrote it with Python. */
function notJson(line: string): string {
  const word = /(?<!["\w])(-?Infinity|NaN)(?!["\w])/.exec(line)?.[1];
  if (word !== undefined)
    return `${word} is not JSON, though Python's json writes it: write the probabilities, before positions are struck out`;
  return /^\s*[[\]]/.test(line)
    ? 'not JSON of one decode: a line for each decode is wanted, not a list of them'
    : 'not JSON';
}

/** What a step of a history predicted is what it committed: the rest of its predictions was not kept. */
function ofHistory(
  { history: all, initial, maskId, promptTokens, ...rest }: History,
  where: string,
): Trajectory {
  const generated = (sequence: readonly number[]): readonly number[] => sequence.slice(promptTokens);
  if (all.length > 1 && !all.some((sequence) => generated(sequence).includes(maskId)))
    throw new DataError(
      `${where}: no sequence has the mask ${maskId} behind the prompt: another maskId, or no steps`,
    );
  const [start] = all;
  const untouched = start.length > promptTokens && generated(start).every((token) => token === maskId);
  if (untouched && initial === undefined)
    throw new DataError(
      `${where}: the first sequence is all masks: "initial": true if it is that before the first step, false if that step committed nothing`,
    );
  if (initial === true && !untouched)
    throw new DataError(`${where}: "initial" is true, and the first sequence is not all masks`);
  const history = initial === true ? all.slice(1) : all;
  if (history.length === 0) throw new DataError(`${where}: no step behind the first sequence`);
  const length = history[0].length - promptTokens;
  if (length < 1)
    throw new DataError(
      `${where}: sequences of ${history[0].length} tokens hold no answer behind a prompt of ${promptTokens}`,
    );
  const odd = history.findIndex((each) => each.length !== length + promptTokens);
  if (odd >= 0) throw new DataError(`${where}: sequence ${odd} has another length than the first`);
  let masked = Array.from({ length }, (_, at) => at);
  const steps = history.map((sequence) => {
    const answer = sequence.slice(promptTokens);
    const step = { tokens: answer.map((token) => (token === maskId ? -1 : token)), masked };
    masked = masked.filter((at) => answer[at] === maskId);
    return step;
  });
  return { ...rest, promptTokens, steps };
}

function checkLengths({ steps, right, reference, answer, textTokens }: Trajectory, where: string): void {
  const length = steps[0].tokens.length;
  steps.forEach(({ tokens, confidences, masked }, at) => {
    if (tokens.length !== length || (confidences !== undefined && confidences.length !== length))
      throw new DataError(`${where}: step ${at}: ${length} positions are wanted, as in the first step`);
    if (masked.some((position) => position >= length))
      throw new DataError(
        `${where}: step ${at}: a masked position is outside of the ${length} generated ones, which count from 0 behind the prompt`,
      );
    const before = at === 0 ? null : new Set(steps[at - 1].masked);
    if (before !== null && masked.some((position) => !before.has(position)))
      throw new DataError(`${where}: step ${at}: a position is masked again; remasking is not supported`);
  });
  const first = new Set(steps[0].masked);
  const open = Array.from({ length }, (_, at) => at).filter((at) => !first.has(at));
  if (open.length > 0)
    throw new DataError(
      `${where}: step 0: position ${open[0]} of ${length} is not masked: "tokens" has the generated positions only, without the prompt, and "masked" those that are masked when a step begins, not after it`,
    );
  if (textTokens !== undefined && textTokens > length)
    throw new DataError(`${where}: textTokens is ${textTokens}, and ${length} positions were generated`);
  if (right !== undefined && right.length !== steps.length)
    throw new DataError(`${where}: right has ${right.length} values for ${steps.length} steps`);
  if (reference !== undefined && reference.length !== length)
    throw new DataError(`${where}: reference has ${reference.length} tokens for ${length} positions`);
  if (answer?.some((position) => position >= length))
    throw new DataError(`${where}: answer names a position outside of the ${length} generated ones`);
}

/** The answer as each step would have given it: what was decided before, and the step's own prediction of the rest. */
export function texts({ steps }: Pick<Trajectory, 'steps'>): number[][] {
  const decided = [...steps[0].tokens];
  return steps.map(({ tokens, masked }) => {
    for (const at of masked) decided[at] = tokens[at];
    return [...decided];
  });
}

/**
 * Whether the answer was right in each step.
 * @throws DataError when nothing says what is right
 */
export function rightSteps(trajectory: Trajectory, where: string): readonly boolean[] {
  const { right, reference, answer } = trajectory;
  if (right !== undefined) return right;
  if (reference === undefined)
    throw new DataError(
      `${where}: nothing says what is right: give "right" (one value per step) or "reference" (tokens)`,
    );
  const positions = answer ?? reference.map((_, at) => at);
  return texts(trajectory).map((text) => positions.every((at) => text[at] === reference[at]));
}

/** Tokens that were committed at a confidence, and how many of them a later step predicted otherwise. */
export interface Revised {
  readonly committed: number;
  readonly revised: number;
}

/**
 * Of the tokens that were committed at `tau` or above, those whose position some later step predicted otherwise.
 * @param counts which positions count; default: all
 */
export function revisedAfter(
  { steps }: Pick<Trajectory, 'steps'>,
  tau: number,
  counts: (position: number) => boolean = () => true,
): Revised {
  const sure = new Map<number, number>();
  const revised = new Set<number>();
  steps.forEach(({ tokens, confidences, masked }, step) => {
    for (const [at, token] of sure) if (tokens[at] >= 0 && tokens[at] !== token) revised.add(at);
    const left = new Set(steps.at(step + 1)?.masked ?? []);
    if (step === steps.length - 1) return;
    for (const at of masked) {
      if (!left.has(at) && (confidences?.[at] ?? 0) >= tau && counts(at)) sure.set(at, tokens[at]);
    }
  });
  return { committed: sure.size, revised: revised.size };
}
