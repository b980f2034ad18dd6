import { median } from '../../src/score/statistics/samples.js';
import { objective, residuals } from '../lab/deciders/synthetic/objective.js';
import { processByName, processFile } from '../lab/deciders/synthetic/profiles.js';
import { type ProcessPoint, processPoints } from './points.js';
import { recordedStates } from './rows.js';
import { readTrajectories } from './trajectory.js';

/** What a process says about recorded decodes, number by number. */
export interface ProcessCheck {
  readonly points: readonly ProcessPoint[];
  /** Of the points, in points of percent. */
  readonly medianErrorPct: number;
  readonly worstErrorPct: number;
  readonly passes: boolean;
}

/** Median error up to which a process counts as describing a recording (our judgement). */
export const TOLERANCE_PCT = 5;

/**
 * Holds a process against recorded decodes, in the contexts that were recorded.
 * @param profile of the shipped process, or the path of one that `workload fit` wrote
 * @throws EnvironmentError or DataError for a file; UsageError for an unknown profile
 */
export function checkTrajectories(path: string, profile: string): ProcessCheck {
  const { parameters, profile: entry } = processByName(profile);
  const shifted = { ...parameters, bias: parameters.bias + entry.shift };
  const points = processPoints(shifted, recordedStates(readTrajectories(path), path));
  const errors = points.map(({ processPct, recordedPct }) => Math.abs(processPct - recordedPct));
  const medianErrorPct = median(errors);
  return {
    points,
    medianErrorPct,
    worstErrorPct: Math.max(...errors),
    passes: medianErrorPct <= TOLERANCE_PCT,
  };
}

/** Whether the shipped process still gives the residuals that its file says. */
export interface ShippedCheck {
  readonly objective: number;
  readonly recordedObjective: number;
  readonly differing: readonly string[];
}

/** Decodes the fit's own cases again, by the session. */
export async function checkShipped(): Promise<ShippedCheck> {
  const file = processFile();
  const again = await residuals(file.parameters, file);
  const differing = again
    .filter(({ fitted }, at) => Math.abs(fitted - file.residuals[at].fitted) > 1e-9)
    .map(({ name }) => name);
  return { objective: objective(again), recordedObjective: file.value, differing };
}
