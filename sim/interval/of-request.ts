import type { Machine } from '../machine/machine.js';
import { type RequestTiming, timeRequest } from '../workload/request.js';
import type { FurtherSpread } from './form.js';
import type { Interval } from './interval.js';
import { type Held, machineIntervals } from './of-runs.js';

const ONE_TOKEN: readonly FurtherSpread[] = ['a token at a time'];

/** Intervals of a request and of those of its parts that take time. @throws as `machineIntervals` */
export function requestIntervals(
  machine: Machine,
  timing: RequestTiming,
  signal?: AbortSignal,
): {
  readonly whole: Interval;
  readonly parts: readonly (Interval & { readonly name: 'prompt' | 'answer'; readonly ms: number })[];
  readonly held: Held;
} {
  const { prompt, answer } = timing;
  const present = [
    { name: 'prompt', tokens: prompt, of: (at: RequestTiming) => at.promptMs, further: [] },
    { name: 'answer', tokens: answer, of: (at: RequestTiming) => at.answerMs, further: ONE_TOKEN },
  ] as const;
  const parts = present.filter(({ tokens }) => tokens > 0);
  const { intervals, held } = machineIntervals(
    machine,
    [
      { ms: timing.ms, further: answer > 0 ? ONE_TOKEN : [] },
      ...parts.map(({ of, further }) => ({ ms: of(timing), further })),
    ],
    (drawn) => {
      const other = timeRequest(drawn, { prompt, answer });
      return [other.ms, ...parts.map(({ of }) => of(other))];
    },
    signal,
  );
  const [whole, ...rest] = intervals;
  return { whole, parts: parts.map(({ name, of }, at) => ({ name, ms: of(timing), ...rest[at] })), held };
}
