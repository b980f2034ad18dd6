import type { StepTiming } from '../../src/decode/method/timer.js';
import { type Account, addUp, lastStep } from '../machine/account.js';
import type { Machine } from '../machine/machine.js';
import { decodePass, prefillPasses, warmTimings } from './workload.js';

/** A prompt and an answer, one token a pass. */
export interface RequestSize {
  /** Tokens; 0: none. */
  readonly prompt: number;
  readonly answer: number;
}

/** Passes of an answer that are timed: what a pass attends to grows by one position a token, and its time nearly in a line. */
const SEGMENTS = 4;

/** Passes of a request, each with how often it happens. */
export interface TimedRequest {
  readonly prompt: readonly StepTiming[];
  readonly answer: readonly { readonly timing: StepTiming; readonly times: number }[];
}

/**
 * Times the prompt in its passes, then the answer by passes in the middle of its quarters, each on a machine that has just run the
 * same. Every token of the answer is a pass of one row.
 * @param compiled positions a static graph was compiled for, see `prefillPasses`
 */
export function requestTimings(
  machine: Machine,
  { prompt, answer }: RequestSize,
  compiled = 0,
  seen: (part: 'prompt' | 'answer', times: number) => void = () => undefined,
): TimedRequest {
  const passes = prompt === 0 ? [] : prefillPasses(machine, prompt, 0, compiled);
  const first = warmTimings(machine, passes, () => seen('prompt', 1));
  const segments = Math.min(SEGMENTS, answer);
  const answered = Array.from({ length: segments }, (_, i) => {
    const middle = prompt + Math.floor(((i + 0.5) * answer) / segments);
    const times = answer / segments;
    const [timing] = warmTimings(machine, [decodePass(middle)], () => seen('answer', times));
    return { timing, times };
  });
  return { prompt: first, answer: answered };
}

/** Durations of a request. */
export interface RequestTiming extends RequestSize {
  readonly ms: number;
  /** Until the prompt is processed. */
  readonly promptMs: number;
  readonly answerMs: number;
  /** Mean of a token of the answer; null without one. */
  readonly msPerToken: number | null;
}

/** @throws UsageError when the model does not fit the address window */
export function timeRequest(machine: Machine, size: RequestSize): RequestTiming {
  return durationsOf(size, requestTimings(machine, size));
}

function durationsOf(size: RequestSize, { prompt, answer }: TimedRequest): RequestTiming {
  const length = ({ startMs, endMs }: StepTiming): number => endMs - startMs;
  const promptMs = prompt.reduce((sum, timing) => sum + length(timing), 0);
  const answerMs = answer.reduce((sum, { timing, times }) => sum + times * length(timing), 0);
  const msPerToken = size.answer === 0 ? null : answerMs / size.answer;
  return { ...size, ms: promptMs + answerMs, promptMs, answerMs, msPerToken };
}

/** Where the time of a request went: an account for the prompt and one for the answer, without those of length 0. */
export function accountRequest(
  machine: Machine,
  size: RequestSize,
): {
  readonly timing: RequestTiming;
  readonly accounts: readonly { readonly name: string; readonly account: Account }[];
} {
  const seen = {
    prompt: [] as { account: Account; times: number }[],
    answer: [] as { account: Account; times: number }[],
  };
  const timings = requestTimings(machine, size, 0, (part, times) => {
    seen[part].push({ account: lastStep(machine), times });
  });
  return {
    timing: durationsOf(size, timings),
    accounts: (['prompt', 'answer'] as const).flatMap((name) =>
      seen[name].length === 0 ? [] : [{ name, account: addUp(seen[name]) }],
    ),
  };
}
