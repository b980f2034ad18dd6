import { drafts } from './drafts.js';
import { exact } from './exact.js';
import { none } from './none.js';

/** What happens to predictions beyond the current block. */
export const SPECULATIONS = { none, drafts, exact };
