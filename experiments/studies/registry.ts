import { unknownName } from '../../src/util/nearest.js';
import type { Study } from '../comparison/study.js';

/**
 * Every study that compares, by name, loaded when it is asked for. A new one is its file and a line here. Machine only
 * ones first: they take a second or two.
 */
export const STUDIES = {
  table2: async () => (await import('./table2.js')).table2,
  fig3a: async () => (await import('./fig3a.js')).fig3a,
  fig3b: async () => (await import('./fig3b.js')).fig3b,
  fig5d: async () => (await import('./fig5d.js')).fig5d,
  fig13c: async () => (await import('./fig13c.js')).fig13c,
  'staging-mechanisms': async () => (await import('./staging-mechanisms.js')).stagingMechanisms,
  fig8: async () => (await import('./fig8.js')).fig8,
  fig5a: async () => (await import('./fig5a.js')).fig5a,
  fig5b: async () => (await import('./fig5b.js')).fig5b,
  fig5c: async () => (await import('./fig5c.js')).fig5c,
  fig13a: async () => (await import('./fig13a.js')).fig13a,
  fig13b: async () => (await import('./fig13b.js')).fig13b,
  table6: async () => (await import('./table6.js')).table6,
  fig11: async () => (await import('./fig11.js')).fig11,
  fig12: async () => (await import('./fig12.js')).fig12,
  table7: async () => (await import('./table7.js')).table7,
  fig14: async () => (await import('./fig14.js')).fig14,
  fig1: async () => (await import('./fig1.js')).fig1,
  counterfactuals: async () => (await import('./counterfactuals.js')).counterfactuals,
  forwards: async () => (await import('./forwards.js')).forwards,
  subsets: async () => (await import('./subsets.js')).subsets,
  'scr-alone': async () => (await import('./scr-alone.js')).scrAlone,
  speculation: async () => (await import('./speculation.js')).speculation,
  'refresh-lane': async () => (await import('./refresh-lane.js')).refreshLane,
  'lookahead-grid': async () => (await import('./lookahead-grid.js')).lookaheadGrid,
  implied: async () => (await import('./implied.js')).implied,
  alternatives: async () => (await import('./alternatives.js')).alternatives,
  tornado: async () => (await import('./tornado.js')).tornado,
  generality: async () => (await import('./generality.js')).generality,
  rivals: async () => (await import('./rivals.js')).rivals,
} satisfies Record<string, () => Promise<Study>>;

export type StudyName = keyof typeof STUDIES;

export const STUDY_NAMES = Object.keys(STUDIES) as StudyName[];

/** Runs all of them but those that take minutes. */
export const ALL = 'all';

/** Too long for whoever asks for everything: asked for by name. */
export const LONG: readonly StudyName[] = [
  'fig11',
  'fig12',
  'implied',
  'alternatives',
  'generality',
  'rivals',
];

/** @throws UsageError with the nearest names */
export function studiesNamed(name: string): readonly StudyName[] {
  if (name === ALL) return STUDY_NAMES.filter((each) => !LONG.includes(each));
  const found = STUDY_NAMES.filter((each) => each === name);
  if (found.length === 0) throw unknownName('study', name, [...STUDY_NAMES, ALL]);
  return found;
}
