import { cpu } from './cpu.js';
import { none } from './none.js';

/** Side passes over visible positions of the prefix. */
export const REFRESHES = { none, cpu };
