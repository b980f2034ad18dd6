import type { PublishedRow } from '../published.js';
import { type Amount, amountOf, depthOf, exactly, promptAndAnswer, unstated } from './amount.js';
import { OPERATOR, phaseOf, refuseClocks, refuseDrafts, refuseImages } from './phases.js';
import { NotModelled } from './refusal.js';

/** What was measured of a model, or the name of one operator. */
export type Work =
  /** `compiled`: positions a static graph was compiled for. */
  | { readonly kind: 'prefill'; readonly tokens: Amount; readonly context: number; readonly compiled: number }
  /** All tokens of a text through an encoder, for one vector. */
  | { readonly kind: 'embed'; readonly tokens: Amount }
  | {
      readonly kind: 'decode';
      readonly sequences: number;
      readonly context: Amount;
      /** Tokens of a sequence that a time or an energy is of. */
      readonly passes: number;
    }
  /** A prompt and its answer, token by token. */
  | {
      readonly kind: 'request';
      readonly prompt: Amount;
      readonly answer: Amount;
      readonly compiled: number;
      /** What a rate counts. */
      readonly counts: 'answer' | 'all';
    }
  | {
      readonly kind: 'kernel';
      readonly operator: string;
      readonly rows: number | null;
      readonly keys: number | null;
      /** What the host sees, or what the device's own clock does. */
      readonly seen: 'call' | 'device';
    };

/** Qualcomm AI Hub exports Genie graphs for a context of 4096 positions (`--context-length`). */
const GENIE_CONTEXT = 4096;

/** Lengths that are taken where a table gives none: llama-bench's own defaults, and what phones are asked. Assumed. */
const DEFAULT_PROMPT = () => unstated(512, 64, 1024, 'prompt length');
const DEFAULT_CONTEXT = () => unstated(128, 0, 1024, 'context');
const DEFAULT_TEXT = () => unstated(128, 32, 512, 'length of the text');
const DEFAULT_ANSWER = () => unstated(128, 32, 512, 'answer length');

/** @throws NotModelled for what is no work of a model */
export function workOf(row: PublishedRow, stack: string): Work {
  const phase = phaseOf(row);
  if (phase !== 'kernel' && phase !== 'embed') refuseDrafts(row);
  refuseClocks(row);
  switch (phase) {
    case 'kernel':
      return {
        kind: 'kernel',
        operator:
          OPERATOR.test(row.model) || !OPERATOR.test(row.metric) ? row.model : `${row.model} ${row.metric}`,
        rows: count(row.batch_or_tokens),
        keys: count(row.context),
        seen: /call|host|wall|communicat|round.?trip|rpc/i.test(row.metric) ? 'call' : 'device',
      };
    case 'prefill': {
      const tokens = promptOfGraph(row, stack) ?? promptOf(row);
      refuseImages(row, tokens);
      return {
        kind: 'prefill',
        tokens: tokens ?? DEFAULT_PROMPT(),
        context: depthIn(row) ?? 0,
        compiled: compiledFor(row, stack),
      };
    }
    case 'embed':
      return { kind: 'embed', tokens: promptOf(row) ?? DEFAULT_TEXT() };
    case 'denoise': {
      // All rows get logits; without a stated context there is no cached prefix, as in Table 2 of arXiv:2606.13740.
      const sequences = count(row.batch_or_tokens);
      if (/gen_?length|steps ?=|answer|128 steps/i.test(`${row.batch_or_tokens} ${row.metric} ${row.unit}`))
        throw new NotModelled(
          'an answer of a diffusion model takes as many steps as its policy needs: only a step of stated rows is timed',
        );
      if (sequences === null)
        throw new NotModelled(`the number of rows of the step is not stated ("${row.batch_or_tokens}")`);
      return {
        kind: 'decode',
        sequences,
        context: amountOf(row.context) ?? exactly(0),
        passes: 1,
      };
    }
    case 'decode':
      return decodeOf(row, stack);
    case 'request':
      return requestOf(row, stack);
  }
}

function requestOf(row: PublishedRow, stack: string): Work {
  const compiled = compiledFor(row, stack);
  // llama-bench's `-pg` counts the tokens of both.
  const counts = /\bpg\b|pp\d*\s*\+\s*tg/i.test(`${row.phase} ${row.batch_or_tokens}`) ? 'all' : 'answer';
  const pair = [row.batch_or_tokens, row.context, row.phase, row.metric]
    .map(promptAndAnswer)
    .find((found) => found !== null);
  if (pair !== undefined)
    return { kind: 'request', prompt: exactly(pair[0]), answer: exactly(pair[1]), compiled, counts };
  const first = amountOf(row.batch_or_tokens);
  const second = amountOf(row.context);
  // A prompt in one column and the cache it fills in the other: what is left is the answer.
  const left =
    first !== null && second !== null && second.value > first.value && first.value > 1
      ? exactly(second.value - first.value)
      : null;
  const asked = first === null || first.value <= 1 ? second : first;
  refuseImages(row, asked);
  const prompt = asked ?? DEFAULT_PROMPT();
  return { kind: 'request', prompt, answer: left ?? DEFAULT_ANSWER(), compiled, counts };
}

/** Positions cached before what is measured, where a row says `@ d512` anywhere. */
function depthIn({ phase, batch_or_tokens: tokens, context, metric }: PublishedRow): number | null {
  return depthOf(`${phase} ${tokens} ${metric}`) ?? (/@/.test(context) ? depthOf(context) : null);
}

/**
 * The number of prompt tokens stands in the column of tokens, or, where that holds a batch of 1, in that of the context, or in the
 * name of the phase (`pp512`); null where nothing says it.
 */
function promptOf(row: PublishedRow): Amount | null {
  const tokens = [row.batch_or_tokens, row.phase].map(promptAndAnswer).find((pair) => pair !== null)?.[0];
  if (tokens !== undefined) return exactly(tokens);
  const named = /\bpp\s?(\d+)\b/i.exec(`${row.phase} ${row.batch_or_tokens} ${row.metric}`)?.[1];
  if (named !== undefined) return exactly(Number(named));
  const counted = [row.batch_or_tokens, row.context, row.metric].map(amountOf);
  const known = counted.find((amount) => amount !== null && amount.value > 1);
  return known === undefined || known === null ? null : atLeastOne(known);
}

/** More sequences than any phone decodes together: the column holds generated tokens. */
const MOST_SEQUENCES = 64;

/** Tokens of one pass of a compiled graph of Genie: the shortest prompt that its tables time. */
const CHUNK = 128;

/**
 * Vendors' pages give the time to the first token as a range, from one pass to the compiled context: `TTFT (min)`, `0.15 - 4.8 s range`.
 * Null where the row counts its tokens.
 */
function promptOfGraph(
  { batch_or_tokens: tokens, context, metric }: PublishedRow,
  stack: string,
): Amount | null {
  const most = amountOf(context);
  if (
    !stack.startsWith('qnn') ||
    most === null ||
    amountOf(tokens) !== null ||
    promptAndAnswer(tokens) !== null
  )
    return null;
  const said = `${tokens} ${metric}`;
  if (/\bmin(imum)?\b|shortest|one chunk|single chunk/i.test(said)) return exactly(CHUNK);
  if (/\bmax(imum)?\b|longest|full context/i.test(said)) return exactly(most.range[1]);
  if (!/range|-|\bto\b/i.test(tokens)) return null;
  return unstated(4 * CHUNK, CHUNK, most.range[1], 'prompt length');
}

/** `4 parallel`, `8 streams`, `2 users`. */
function together(text: string): number | null {
  const found = /(\d+)\s*(?:x\s*)?(?:parallel|sequences|seqs?\b|streams|users|requests|slots)/i.exec(
    text,
  )?.[1];
  return found === undefined ? null : Number(found);
}

function decodeOf(row: PublishedRow, stack: string): Work {
  const generated = /\b(?:tg|n_gen\s?=?|gen(?:erat\w*)?)\s?(\d+)\b/i.exec(
    `${row.phase} | ${row.batch_or_tokens} | ${row.metric}`,
  )?.[1];
  const said = generated === undefined ? amountOf(row.batch_or_tokens) : exactly(Number(generated));
  const many = together(`${row.batch_or_tokens} | ${row.metric} | ${row.engine}`);
  const tokens =
    many === null &&
    said !== null &&
    (generated !== undefined || said.value > MOST_SEQUENCES || /gen|token/i.test(row.batch_or_tokens));
  return {
    kind: 'decode',
    sequences: many ?? (said === null || tokens ? 1 : Math.max(1, said.value)),
    context: cachedFor(row, stack, tokens ? said.value : null),
    passes: tokens && said.value > 1 && OF_ALL.test(`${row.metric}, ${row.unit}`) ? said.value : 1,
  };
}

/** A time or an energy of all tokens of an answer. */
const OF_ALL =
  /total|elapsed|wall|duration|(generation|decode|decoding) time|, *m?(j(oules?)?|wh)( ?\/ ?(query|request))?$/i;

/** @param answer tokens that are generated; null: one is looked at */
function cachedFor(row: PublishedRow, stack: string, answer: number | null): Amount {
  const bound = compiledIn(row.context);
  // A compiled graph attends to all positions it was compiled for.
  if (bound !== null && stack.startsWith('qnn')) return exactly(bound - 1);
  const depth = depthIn(row);
  if (depth !== null) return answer === null ? exactly(depth) : mean(depth, depth + answer);
  const pair = promptAndAnswer(row.context) ?? promptAndAnswer(row.batch_or_tokens);
  const cached = pair === null ? amountOf(row.context) : mean(pair[0], pair[0] + pair[1]);
  // What is generated follows its prompt.
  if (answer !== null && cached !== null && pair === null && /prompt/i.test(row.context))
    return mean(cached.value, cached.value + answer);
  return cached ?? (answer === null ? DEFAULT_CONTEXT() : mean(0, answer));
}

function mean(from: number, to: number): Amount {
  return { value: Math.floor((from + to) / 2), range: [from, to], note: null };
}

function atLeastOne({ value, range, note }: Amount): Amount {
  return { value: Math.max(1, value), range: [Math.max(1, range[0]), Math.max(1, range[1])], note };
}

/** Positions a graph was compiled for: `<=4096`, `CL=4096`, `context length 4k`; null where the column says something else. */
function compiledIn(context: string): number | null {
  const found =
    /^\s*(?:<=|\u2264|cl\s*[=:]?|n_?ctx\s*[=:]?|ctx\s*[=:]?|(?:max(?:imum)?\.?\s*)?context(?:[ -](?:length|window|size))?\s*[=:]?)\s*(\d+)\s*(k)?(?: tokens)?\s*$/i.exec(
      context,
    );
  return found === null ? null : Number(found[1]) * (found[2] === undefined ? 1 : 1024);
}

/** Positions the graph behind a prompt measurement was compiled for; 0 when the source gives no more than the prompt. */
function compiledFor({ context, engine, metric, source }: PublishedRow, stack: string): number {
  if (!stack.startsWith('qnn')) return 0;
  const bound = compiledIn(context);
  if (bound !== null) return bound;
  // One chunk of a longer context; "full context" rows state theirs.
  return /genie/i.test(engine) && /chunk/i.test(metric) && /ai-hub/i.test(source) ? GENIE_CONTEXT : 0;
}

function count(text: string): number | null {
  const amount = amountOf(text);
  return amount === null || amount.value < 1 ? null : amount.value;
}
