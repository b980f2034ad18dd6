import type { Interval } from '../../../sim/interval/interval.js';
import { machineIntervals } from '../../../sim/interval/of-runs.js';
import { denoisingShape, steadyMs } from '../../../sim/workload/steady-step.js';
import type { StepPlan } from '../../../src/pass/pass.js';
import { type PassShape, passShape } from '../../../src/pass/shape.js';
import { type Cell, FORMATS, PRUNINGS } from './grid.js';
import { machineOf } from './price.js';

/**
 * Where the time of an answer may lie, as factors of what is predicted: what the ranges of all numbers and the form of the machine
 * do to the pass in its middle, at dense weights of the format that the stack runs.
 */
export class Spreads {
  readonly #known = new Map<string, Interval>();
  readonly #signal?: AbortSignal;

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Of an answer of a diffusion model. @throws UsageError when it fits in no window that the chip may have */
  ofAnswer(
    cell: Omit<Cell, 'technique' | 'pruning'>,
    technique: string,
    plans: readonly StepPlan[],
  ): Interval {
    const { passes } = plans[Math.floor(plans.length / 2)];
    return this.#of(cell, technique, passShape(passes[0]));
  }

  /** Of an answer of an autoregressive model, of which the 8B models' passes are alike. @throws as `ofAnswer` */
  ofTokens(cell: Omit<Cell, 'technique' | 'pruning'>, context: number): Interval {
    return this.#of(cell, 'autoregressive', denoisingShape(1, context));
  }

  #of(
    { soc, stack, format }: Omit<Cell, 'technique' | 'pruning'>,
    technique: string,
    pass: PassShape,
  ): Interval {
    const key = [soc, stack.name, format.quant, technique].join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const stored = FORMATS.find(({ priced, quant }) => !priced && quant === format.quant) ?? format;
    const machine = machineOf({ soc, stack, format: stored, pruning: PRUNINGS[0] });
    const ms = steadyMs(machine, pass);
    const { intervals } = machineIntervals(
      machine,
      [{ ms, further: pass.rows === 1 ? ['a token at a time'] : [] }],
      (other) => [steadyMs(other, pass)],
      this.#signal,
    );
    const factors = { low: intervals[0].low / ms, high: intervals[0].high / ms };
    this.#known.set(key, factors);
    return factors;
  }
}
