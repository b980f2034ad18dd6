import { accept } from './accept.js';
import { sweep } from './sweep.js';

/** What happens after the last block. */
export const FINALS = { accept, sweep };
