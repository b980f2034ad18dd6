import { decided } from './decided.js';
import { delayed } from './delayed.js';
import { none } from './none.js';
import { perBlock } from './per-block.js';
import { prefix } from './prefix.js';

/** How finished positions become KV that later passes read. */
export const CACHES = { none, prefix, 'per-block': perBlock, decided, delayed };
