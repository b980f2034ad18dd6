import type { PublishedRow } from '../published.js';
import { type Amount, amountOf, promptAndAnswer, unstated } from './amount.js';
import { NotModelled } from './refusal.js';

/** What was measured of a model, or the name of one operator. */
export type Work =
  /** `compiled`: positions a static graph was compiled for. */
  | { readonly kind: 'prefill'; readonly tokens: Amount; readonly context: number; readonly compiled: number }
  | { readonly kind: 'decode'; readonly sequences: number; readonly context: Amount }
  /** A prompt and its answer, token by token. */
  | { readonly kind: 'request'; readonly prompt: Amount; readonly answer: Amount; readonly compiled: number }
  | {
      readonly kind: 'kernel';
      readonly operator: string;
      readonly rows: number | null;
      readonly keys: number | null;
      /** What the host sees, or what the device's own clock does. */
      readonly seen: 'call' | 'device';
    };

type PhaseKind = 'prefill' | 'decode' | 'denoise' | 'request' | 'kernel';

const OPERATOR =
  /MUL_MAT|FLASH_ATTN|SWIGLU|GEGLU|RMS_NORM|SET_ROWS|GET_ROWS|SOFT_MAX|\bROPE\b|\bSILU\b|\bGELU\b|\bGEMM\b|\bGEMV\b|^ADD\b|^MUL\b|^CPY\b|^SCALE\b|\bSSM_CONV\b|\bCONCAT\b|\bL2_NORM\b|\bSUM_ROWS\b|\bARGSORT\b|GATED_DELTA_NET|SOLVE_TRI|IM2COL|CUMSUM|^(SUB|DIV|SQR|SQRT|SIGMOID|TANH|EXP|NEG|CLAMP|FILL|REPEAT|PAD|CONT|NORM|TRI|DIAG)\b|\d+x\d+x\d+|gate ?[+&_] ?up|Q ?\+ ?K ?\+ ?V|products? of (a|one) layer/i;

/** Which work a row is about: by its phase, else by its metric. @throws NotModelled for what is no work of a model */
function phaseOf({ phase, metric, model }: PublishedRow): PhaseKind {
  if (OPERATOR.test(model) || /kernel|operator|\bop\b|\bgemm|\bgemv|micro/i.test(phase)) return 'kernel';
  if (/denois|diffusion|\bstep\b/i.test(phase)) return 'denoise';
  for (const text of [phase, metric]) {
    if (/end.?to.?end|e2e|total|request|query|whole/i.test(text)) return 'request';
    if (/prefill|prompt|\bpp\b|ttft|first.token|encod/i.test(text)) return 'prefill';
    if (/decod|generat|\btg\b|tpot|per.token|\bitl\b|token gen/i.test(text)) return 'decode';
  }
  if (/energy|power/i.test(phase)) return 'request';
  throw new NotModelled(`a ${phase || 'nameless'} measurement is not modelled`);
}

/** Qualcomm AI Hub exports Genie graphs for a context of 4096 positions (`--context-length`). */
const GENIE_CONTEXT = 4096;

/** Lengths that are taken where a table gives none: llama-bench's own defaults, and what phones are asked. Assumed. */
const DEFAULT_PROMPT = () => unstated(512, 64, 1024, 'prompt length');
const DEFAULT_CONTEXT = () => unstated(128, 0, 1024, 'context');
const DEFAULT_ANSWER = () => unstated(128, 32, 512, 'answer length');

/** @throws NotModelled for what is no work of a model */
export function workOf(row: PublishedRow, stack: string): Work {
  switch (phaseOf(row)) {
    case 'kernel':
      return {
        kind: 'kernel',
        operator:
          OPERATOR.test(row.model) || !OPERATOR.test(row.metric) ? row.model : `${row.model} ${row.metric}`,
        rows: count(row.batch_or_tokens),
        keys: count(row.context),
        seen: /call|host|wall|communicat|round.?trip|rpc/i.test(row.metric) ? 'call' : 'device',
      };
    case 'prefill':
      return {
        kind: 'prefill',
        tokens: promptOf(row),
        context: 0,
        compiled: compiledFor(row, stack),
      };
    case 'denoise': {
      // All rows get logits; without a stated context there is no cached prefix, as in Table 2 of arXiv:2606.13740.
      const sequences = count(row.batch_or_tokens);
      if (sequences === null)
        throw new NotModelled(`the number of rows of the step is not stated ("${row.batch_or_tokens}")`);
      return {
        kind: 'decode',
        sequences,
        context: amountOf(row.context) ?? { value: 0, range: [0, 0], note: null },
      };
    }
    case 'decode':
      return decodeOf(row, stack);
    case 'request': {
      const pair =
        promptAndAnswer(row.batch_or_tokens) ?? promptAndAnswer(row.context) ?? promptAndAnswer(row.metric);
      const compiled = compiledFor(row, stack);
      if (pair !== null) {
        const [prompt, answer] = pair.map((value): Amount => ({ value, range: [value, value], note: null }));
        return { kind: 'request', prompt, answer, compiled };
      }
      const first = amountOf(row.batch_or_tokens);
      const second = amountOf(row.context);
      // A prompt in one column and the cache it fills in the other: what is left is the answer.
      const answer =
        first !== null && second !== null && second.value > first.value && first.value > 1
          ? {
              value: second.value - first.value,
              range: [second.value - first.value, second.value - first.value] as const,
              note: null,
            }
          : DEFAULT_ANSWER();
      const asked = first === null || first.value <= 1 ? second : first;
      return { kind: 'request', prompt: asked ?? DEFAULT_PROMPT(), answer, compiled };
    }
  }
}

/** The number of prompt tokens stands in the column of tokens, or, where that holds a batch of 1, in that of the context. */
function promptOf(row: PublishedRow): Amount {
  const tokens = promptAndAnswer(row.batch_or_tokens)?.[0];
  if (tokens !== undefined) return { value: tokens, range: [tokens, tokens], note: null };
  const [said, context] = [amountOf(row.batch_or_tokens), amountOf(row.context)];
  const known =
    said !== null && said.value > 1 ? said : context !== null && context.value > 1 ? context : null;
  return atLeastOne(known ?? DEFAULT_PROMPT());
}

/** More sequences than any phone decodes together: the column holds generated tokens. */
const MOST_SEQUENCES = 64;

function decodeOf(row: PublishedRow, stack: string): Work {
  const said = amountOf(row.batch_or_tokens);
  const tokens = said !== null && (said.value > MOST_SEQUENCES || /tg|gen|token/i.test(row.batch_or_tokens));
  const sequences = said === null || tokens ? 1 : Math.max(1, said.value);
  const bound = /^\s*<=\s*(\d+)\s*$/.exec(row.context);
  // A compiled graph attends to all positions it was compiled for.
  if (bound !== null && stack.startsWith('qnn')) {
    const value = Number(bound[1]) - 1;
    return { kind: 'decode', sequences, context: { value, range: [value, value], note: null } };
  }
  const pair = promptAndAnswer(row.context) ?? promptAndAnswer(row.batch_or_tokens);
  const cached = pair === null ? amountOf(row.context) : mean(pair[0], pair[0] + pair[1]);
  if (cached !== null) return { kind: 'decode', sequences, context: cached };
  if (tokens) return { kind: 'decode', sequences, context: mean(0, said.value) };
  return { kind: 'decode', sequences, context: DEFAULT_CONTEXT() };
}

function mean(from: number, to: number): Amount {
  return { value: Math.floor((from + to) / 2), range: [from, to], note: null };
}

function atLeastOne({ value, range, note }: Amount): Amount {
  return { value: Math.max(1, value), range: [Math.max(1, range[0]), Math.max(1, range[1])], note };
}

/** Positions the graph behind a prompt measurement was compiled for; 0 when the source gives no more than the prompt. */
function compiledFor({ context, engine, metric, source }: PublishedRow, stack: string): number {
  if (!stack.startsWith('qnn')) return 0;
  const bound = /^<=\s*(\d+)$/.exec(context);
  if (bound !== null) return Number(bound[1]);
  // One chunk of a longer context; "full context" rows state theirs.
  return /genie/i.test(engine) && /chunk/i.test(metric) && /ai-hub/i.test(source) ? GENIE_CONTEXT : 0;
}

function count(text: string): number | null {
  const amount = amountOf(text);
  return amount === null || amount.value < 1 ? null : amount.value;
}
