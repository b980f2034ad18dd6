import { factsOf } from '../../src/decode/parts.js';
import type { PolicySpec } from '../../src/decode/spec.js';

/** Whether a policy's decisions depend on when something finished: a refresh lands when its machine is done with it. */
export function readsClock(spec: PolicySpec): boolean {
  return factsOf(spec).refresh.launches;
}

/** Whether a policy's decisions depend on what a pass would cost: lookahead grows while rows are free. */
export function readsCosts(spec: PolicySpec): boolean {
  return factsOf(spec).window.lookahead;
}
