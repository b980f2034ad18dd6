import { unknownName } from '../../src/util/nearest.js';
import { counterfactuals } from '../studies/counterfactuals.js';
import { fig3a } from '../studies/fig3a.js';
import { fig3b } from '../studies/fig3b.js';
import { fig5a } from '../studies/fig5a.js';
import { fig5b } from '../studies/fig5b.js';
import { fig5c } from '../studies/fig5c.js';
import { fig5d } from '../studies/fig5d.js';
import { fig8 } from '../studies/fig8.js';
import { fig13a } from '../studies/fig13a.js';
import { fig13b } from '../studies/fig13b.js';
import { fig13c } from '../studies/fig13c.js';
import { forwards } from '../studies/forwards.js';
import { lookaheadGrid } from '../studies/lookahead-grid.js';
import { refreshLane } from '../studies/refresh-lane.js';
import { scrAlone } from '../studies/scr-alone.js';
import { speculation } from '../studies/speculation.js';
import { subsets } from '../studies/subsets.js';
import { table2 } from '../studies/table2.js';
import { table6 } from '../studies/table6.js';
import { tornado } from '../studies/tornado.js';
import type { Experiment } from './experiment.js';

/** Every experiment, machine only ones first: they take a second or two. */
export const EXPERIMENTS: readonly Experiment[] = [
  table2,
  fig3a,
  fig3b,
  fig5d,
  fig13c,
  fig8,
  fig5a,
  fig5b,
  fig5c,
  fig13a,
  fig13b,
  table6,
  counterfactuals,
  forwards,
  subsets,
  scrAlone,
  speculation,
  refreshLane,
  lookaheadGrid,
  tornado,
];

/** Runs all of them. */
export const ALL = 'all';

/** @throws UsageError with the nearest names */
export function experimentsByName(name: string): readonly Experiment[] {
  if (name === ALL) return EXPERIMENTS;
  const found = EXPERIMENTS.find((experiment) => experiment.name === name);
  if (found === undefined) {
    throw unknownName('experiment', name, [...EXPERIMENTS.map((experiment) => experiment.name), ALL]);
  }
  return [found];
}
