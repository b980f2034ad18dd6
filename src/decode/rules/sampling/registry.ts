import { filtered } from './filtered.js';
import { greedy } from './greedy.js';
import { gumbel } from './gumbel.js';

/** How a row of logits becomes a token. */
export const SAMPLINGS = { greedy, gumbel, filtered };
