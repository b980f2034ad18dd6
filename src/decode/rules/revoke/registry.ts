import { none } from './none.js';
import { shadow } from './shadow.js';

/** Whether tokens of the current block that do not hold up when they are predicted anew are taken back. */
export const REVOCATIONS = { none, shadow };
