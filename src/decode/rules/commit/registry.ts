import { factor } from './factor.js';
import { frechet } from './frechet.js';
import { quota } from './quota.js';
import { revocable } from './revocable.js';
import { staged } from './staged.js';
import { threshold } from './threshold.js';
import { timestep } from './timestep.js';

/** Which undecided positions of the current block get a token. */
export const COMMITS = { quota, threshold, timestep, factor, frechet, revocable, staged };
