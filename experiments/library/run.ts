/**
 * Work that yields steps while it goes on and ends with a result. It starts at once and goes on whether or not anybody
 * looks at the steps; they are kept, so that every loop sees all of them from the first.
 */
export interface Run<Step, Result> extends AsyncIterable<Step> {
  /** Settles when the work has ended. Rejects with what ended it early: the error, or the signal's reason. */
  readonly result: Promise<Result>;
}

/** @param work is given a function that takes the steps */
export function startRun<Step, Result>(
  work: (push: (step: Step) => void) => Promise<Result>,
): Run<Step, Result> {
  const steps: Step[] = [];
  let waiting: (() => void)[] = [];
  const wake = () => {
    const told = waiting;
    waiting = [];
    for (const tell of told) tell();
  };
  const news = () => new Promise<void>((resolve) => waiting.push(resolve));
  let ended = false;
  const result = work((step) => {
    steps.push(step);
    wake();
  }).finally(() => {
    ended = true;
    wake();
  });
  // Who only looks at the steps is told there; a rejection must not end the process beside.
  result.catch(() => {});
  return {
    result,
    async *[Symbol.asyncIterator]() {
      for (let at = 0; ; at++) {
        while (at === steps.length && !ended) await news();
        if (at === steps.length) break;
        yield steps[at];
      }
      await result;
    },
  };
}
