import type { StepTimer, StepTimes } from '../../../src/decode/method/timer.js';
import type { StepPlan } from '../../../src/pass/pass.js';
import { hashNumbers } from '../../../src/util/hash-numbers.js';

/** Side passes finish after a random number of steps and in random order. */
export class RandomTimer implements StepTimer {
  readonly name = 'random';
  private pending: { readonly id: string; readonly until: number; readonly rank: number }[] = [];

  constructor(
    private readonly seed: number,
    private readonly longestDelay = 4,
  ) {}

  time(plan: StepPlan): StepTimes {
    plan.passes.forEach((pass, index) => {
      if (pass.lane !== 'side') return;
      const free = hashNumbers(this.seed, plan.step, index, 1) % (this.longestDelay + 1);
      const delay = plan.joins === true ? 0 : free;
      this.pending.push({
        id: pass.id,
        until: plan.step + delay,
        rank: hashNumbers(this.seed, plan.step, index, 2),
      });
    });
    const done = this.pending.filter(({ until }) => until <= plan.step).sort((a, b) => a.rank - b.rank);
    this.pending = this.pending.filter(({ until }) => until > plan.step);
    return {
      startMs: plan.step,
      endMs: plan.step + 1,
      completed: done.map(({ id }) => id),
    };
  }
}
