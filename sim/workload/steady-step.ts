import type { PassShape } from '../../src/pass/shape.js';
import { PREFIX_SET } from '../../src/pass/shape.js';
import type { Machine } from '../machine/machine.js';

/** A denoising step on `context` cached positions. @param logitsRows that get logits, at most all of them */
export function denoisingShape(rows: number, context = 0, logitsRows = rows): PassShape {
  return {
    rows,
    kvSets: context > 0 ? [{ name: PREFIX_SET, length: context }] : [],
    logitsRows: Math.min(logitsRows, rows),
    masked: false,
  };
}

/**
 * Simulated ms of the second of two equal steps: the first one pays for mapping what stays mapped. The machine is reset.
 * @throws UsageError when the model does not fit the address window
 */
export function steadyMs(machine: Machine, shape: PassShape): number {
  machine.reset();
  machine.timePass(shape);
  const { startMs, endMs } = machine.timePass(shape);
  return endMs - startMs;
}
