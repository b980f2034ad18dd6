import type { DecodeResult } from '../decode/session.js';
import type { ModelConfig } from '../model/config.js';
import type { Tokenizer } from '../model/tokenizer.js';
import type { Context } from './io.js';
import type { Task } from './task.js';

export interface Answer {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer;
  readonly task: Task;
  readonly policy: string;
  readonly engine: string;
  /** Name of the machine that timed the decode; null without one. */
  readonly machine: string | null;
  readonly trace?: string;
  readonly result: DecodeResult;
}

/** Prints what a decode produced and what it took. */
export function printAnswer(ctx: Context, answer: Answer): void {
  const { config, tokenizer, task, policy, engine, machine, trace, result } = answer;
  const { counters, tokens, remainingVisible, steps } = result;
  const end = tokens.indexOf(config.eosId);
  const text = tokenizer.decode(end < 0 ? tokens : tokens.slice(0, end)).trim();
  const correct = task.isRight(text);
  const simulatedS = (steps.at(-1)?.timing?.endMs ?? 0) / 1000;
  ctx.data({
    prompt: task.prompt,
    text,
    tokens,
    ...(task.expected === null ? {} : { expected: task.expected, correct }),
    policy,
    model: config.name,
    engine,
    nfe: counters.nfe,
    steps: steps.length,
    forwards: { ...counters.forwards, sideRefreshes: counters.sideRefreshes },
    tokens_per_forward: { all: counters.tokensPerForward, text: counters.textTokensPerForward },
    drafts_accepted: counters.draftsAccepted,
    refreshes: { landed: counters.refreshesLanded, dropped: counters.refreshesDropped },
    remaining_visible: remainingVisible,
    ...(machine === null ? {} : { machine: { name: machine, simulated_s: simulatedS } }),
    ...(trace === undefined ? {} : { trace }),
  });

  const open = remainingVisible.length;
  const facts = [
    `${counters.nfe} forwards`,
    `${counters.tokensPerForward.toFixed(2)} tokens per forward`,
    ...(open === 0 ? [] : [`${open} ${open === 1 ? 'token' : 'tokens'} never confirmed as stable`]),
    ...(machine === null ? [] : [`${simulatedS.toFixed(2)} s simulated on ${machine}`]),
  ];
  ctx.print(`prompt: ${task.prompt}`);
  ctx.print(`answer: ${text}`);
  if (correct !== null) ctx.print(correct ? 'right' : `wrong; a right one: ${task.expected}`);
  ctx.print(`${policy}: ${facts.join(', ')}`);
}
