import { active } from './active.js';
import { all } from './all.js';

/** Which rows get logits. */
export const LOGITS = { all, active };
