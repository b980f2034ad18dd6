import type { DecodeResult } from '../src/decode/method/session.js';
import type { RanOn } from '../src/engine/engine.js';
import type { ModelConfig } from '../src/model/config.js';
import type { Context } from './io.js';
import type { Task } from './task.js';

export interface Answer {
  readonly config: ModelConfig;
  readonly task: Task;
  readonly policy: string;
  readonly engine: string;
  /** Name of the machine that timed the decode; null without one. */
  readonly machine: string | null;
  readonly trace?: string;
  readonly result: DecodeResult;
  /** What the tokens say; null without a tokenizer. */
  readonly text: string | null;
  /** Wall-clock time of the decode. */
  readonly seconds: number;
  /** Null for an engine that has one place to run. */
  readonly ranOn: RanOn | null;
}

/** What a decode produced and what it took, as data. */
export function answerData(answer: Answer): Record<string, unknown> {
  const { config, task, text, policy, engine, machine, trace, result, seconds } = answer;
  const { counters, tokens, remainingVisible, steps } = result;
  const correct = text === null ? null : task.isRight(text);
  const simulatedS = (steps.at(-1)?.timing?.endMs ?? 0) / 1000;
  return {
    prompt: task.ids === undefined ? task.prompt : undefined,
    promptIds: task.ids,
    text,
    tokens,
    expected: task.expected ?? undefined,
    correct: correct ?? undefined,
    policy,
    model: config.name,
    engine,
    ranOn: answer.ranOn ?? undefined,
    nfe: counters.nfe,
    rows: counters.mainRows + counters.sideRows,
    rowsByKind: { main: counters.mainRows, side: counters.sideRows, logits: counters.logitsRows },
    seconds,
    steps: steps.length,
    forwards: { ...counters.forwards, sideRefreshes: counters.sideRefreshes },
    tokensPerForward: { all: counters.tokensPerForward, text: counters.textTokensPerForward },
    draftsAccepted: counters.draftsAccepted,
    refreshes: { landed: counters.refreshesLanded, dropped: counters.refreshesDropped },
    remainingVisible,
    machine: machine === null ? undefined : { name: machine, simulatedS },
    trace,
  };
}

/** The same for a person; nothing under `--json`. */
export function printAnswer(ctx: Context, answer: Answer): void {
  const { task, text, policy, machine, result, seconds } = answer;
  const { counters, tokens, remainingVisible, steps } = result;
  const correct = text === null ? null : task.isRight(text);
  const simulatedS = (steps.at(-1)?.timing?.endMs ?? 0) / 1000;
  const open = remainingVisible.length;
  const facts = [
    `${counters.nfe} forwards`,
    `${counters.tokensPerForward.toFixed(2)} tokens per forward`,
    ...(open === 0 ? [] : [`${open} ${open === 1 ? 'token' : 'tokens'} never confirmed as stable`]),
    `${seconds.toFixed(2)} s`,
    ...(machine === null ? [] : [`${simulatedS.toFixed(2)} s simulated on ${machine}`]),
  ];
  ctx.print(`prompt: ${task.ids === undefined ? promptText(task.prompt) : `ids ${task.ids.join(',')}`}`);
  ctx.print(`answer: ${text ?? `ids ${tokens.join(',')}`}`);
  if (correct !== null) ctx.print(correct ? 'right' : `wrong; a right one: ${task.expected}`);
  ctx.print(`${policy}: ${facts.join(', ')}`);
}

function promptText(prompt: Task['prompt']): string {
  return typeof prompt === 'string'
    ? prompt
    : prompt.map(({ role, content }) => `${role}: ${content}`).join('\n        ');
}
