import type { StepTiming } from '../../src/decode/method/timer.js';
import type { PassShape } from '../../src/pass/shape.js';
import { PREFIX_SET } from '../../src/pass/shape.js';
import type { Machine } from '../machine/machine.js';

/** Time of some passes on a machine that has just run the same passes once. */
export interface WorkloadTiming {
  readonly ms: number;
  /** Tokens per second: of the prompt, or generated. */
  readonly tokensPerS: number;
  readonly passes: number;
}

/**
 * Processes a prompt in passes of at most the stack's `prefillRows` rows; the last row of the prompt gets logits. A stack
 * with static shapes runs whole passes over all positions of its compiled context, logits for every row.
 * @param tokens of the prompt
 * @param context positions cached before it
 * @param compiled positions a static graph was compiled for; at least those of the prompt
 */
export function timePrefill(machine: Machine, tokens: number, context = 0, compiled = 0): WorkloadTiming {
  return timingOf(warmTimings(machine, prefillPasses(machine, tokens, context, compiled)), tokens);
}

/** The passes of a prompt, see `timePrefill`. */
export function prefillPasses(machine: Machine, tokens: number, context = 0, compiled = 0): PassShape[] {
  const { numbers, staticShapes } = machine.options.stack;
  const shapes: PassShape[] = [];
  for (let done = 0; done < tokens; ) {
    if (staticShapes) {
      const rows = numbers.prefillRows;
      done += rows;
      const cached = Math.max(0, Math.max(context + tokens, compiled) - rows);
      // Only the last row of the prompt is sampled.
      shapes.push({ ...pass(rows, cached, rows), sampledRows: done >= tokens ? 1 : 0 });
      continue;
    }
    const rows = Math.min(numbers.prefillRows, tokens - done);
    done += rows;
    shapes.push(pass(rows, context + done - rows, done === tokens ? 1 : 0));
  }
  return shapes;
}

/**
 * One autoregressive step.
 * @param sequences decoded together, one new token each
 * @param context positions cached before the new token
 */
export function timeDecode(machine: Machine, context: number, sequences = 1): WorkloadTiming {
  return timingOf(warmTimings(machine, [decodePass(context, sequences)]), sequences);
}

/** The pass of an autoregressive step. */
export function decodePass(context: number, sequences = 1): PassShape {
  return pass(sequences, context, sequences);
}

function pass(rows: number, prefix: number, logitsRows: number): PassShape {
  return {
    rows,
    kvSets: prefix > 0 ? [{ name: PREFIX_SET, length: prefix }] : [],
    logitsRows,
    masked: false,
  };
}

function timingOf(timings: readonly StepTiming[], tokens: number): WorkloadTiming {
  const ms = timings.reduce((sum, { startMs, endMs }) => sum + endMs - startMs, 0);
  return { ms, tokensPerS: (tokens * 1000) / ms, passes: timings.length };
}

/**
 * Passes on a machine that has just run the same passes once.
 * @param seen after each of the timed ones, while the machine still knows where its time went
 */
export function warmTimings(machine: Machine, shapes: readonly PassShape[], seen?: () => void): StepTiming[] {
  machine.reset();
  for (const shape of shapes) machine.timePass(shape);
  return shapes.map((shape) => {
    const timing = machine.timePass(shape);
    seen?.();
    return timing;
  });
}
