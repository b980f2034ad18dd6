import { unknownName } from '../../src/util/nearest.js';
import type { Experiment } from '../comparison/experiment.js';
import { counterfactuals } from './counterfactuals.js';
import { fig3a } from './fig3a.js';
import { fig3b } from './fig3b.js';
import { fig5a } from './fig5a.js';
import { fig5b } from './fig5b.js';
import { fig5c } from './fig5c.js';
import { fig5d } from './fig5d.js';
import { fig8 } from './fig8.js';
import { fig13a } from './fig13a.js';
import { fig13b } from './fig13b.js';
import { fig13c } from './fig13c.js';
import { forwards } from './forwards.js';
import { lookaheadGrid } from './lookahead-grid.js';
import { refreshLane } from './refresh-lane.js';
import { scrAlone } from './scr-alone.js';
import { speculation } from './speculation.js';
import { subsets } from './subsets.js';
import { table2 } from './table2.js';
import { table6 } from './table6.js';
import { tornado } from './tornado.js';

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
