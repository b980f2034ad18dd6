import type { PolicySpec } from '../../src/decode/spec.js';

/** Whether a policy's decisions depend on when something finished: a refresh lands when its machine is done with it. */
export function readsClock({ refresh }: PolicySpec): boolean {
  return refresh.kind !== 'none';
}

/** Whether a policy's decisions depend on what a pass would cost: lookahead grows while rows are free. */
export function readsCosts({ window }: PolicySpec): boolean {
  return 'lookahead' in window && window.lookahead !== undefined;
}
