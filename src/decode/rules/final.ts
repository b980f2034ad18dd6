import { isLastBlockDone } from '../canvas/geometry.js';
import type { FinalSpec } from '../spec.js';
import type { FinalRule } from './rule.js';

/** `accept`: what is visible at the end stays as it is. `sweep`: up to k refresh passes over it first. */
export function finalRule(spec: FinalSpec): FinalRule {
  if (spec.kind === 'accept') return { sweepRows: () => [], maxPasses: 0 };
  return {
    sweepRows(canvas) {
      if (!isLastBlockDone(canvas) || canvas.sweeps >= spec.passes) return [];
      return canvas.positions.flatMap((position, index) => (position.state === 'V' ? [index] : []));
    },
    maxPasses: spec.passes,
  };
}
