import type { BaseClass } from '../record/execution-class.js';

/** One thing that was looked for. */
export interface Finding {
  readonly what: string;
  readonly state: 'found' | 'missing' | 'problem';
  readonly says: string;
  /** What to do about it; null when nothing is wrong. */
  readonly next: string | null;
}

/** Something that can be run from here, now or when what is missing is there. */
export interface Ability {
  readonly executionClass: BaseClass;
  /** In words: on what, by what. */
  readonly what: string;
  /** Command that does it. */
  readonly command: string;
  /** Empty when it can be run now. */
  readonly missing: readonly string[];
}

export const found = (what: string, says: string): Finding => ({ what, state: 'found', says, next: null });
export const missing = (what: string, says: string, next: string | null): Finding => ({
  what,
  state: 'missing',
  says,
  next,
});
export const problem = (what: string, says: string, next: string | null): Finding => ({
  what,
  state: 'problem',
  says,
  next,
});
