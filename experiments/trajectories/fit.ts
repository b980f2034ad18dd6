import { nelderMead } from '../lab/deciders/synthetic/nelder-mead.js';
import type { ProcessParameters } from '../lab/deciders/synthetic/process.js';
import { type ProcessFile, processFile } from '../lab/deciders/synthetic/profiles.js';
import { difference, processPoints } from './points.js';
import { recordedStates } from './rows.js';
import { readTrajectories } from './trajectory.js';

/** Free numbers, with the scale they are searched on and the first step there. */
const FREE = [
  { name: 'bias', scale: 'plain', step: 1 },
  { name: 'gapWeight', scale: 'log', step: 0.7 },
  { name: 'densityWeight', scale: 'log', step: 0.5 },
  { name: 'densityScale', scale: 'log', step: 0.5 },
  { name: 'easyShare', scale: 'logit', step: 1 },
  { name: 'easyBonus', scale: 'log', step: 0.5 },
  { name: 'spread', scale: 'log', step: 0.5 },
  { name: 'sharpness', scale: 'log', step: 0.5 },
] as const;

const INTO = { plain: (x: number) => x, log: Math.log, logit: (x: number) => Math.log(x / (1 - x)) };
const BACK = { plain: (x: number) => x, log: Math.exp, logit: (x: number) => 1 / (1 + Math.exp(-x)) };

const DIGITS = 4;

/**
 * Fits the process to recorded confidences, in the very contexts that were recorded, with eight free numbers. Unlike the fit to Figures 5b and 8 it sees every masked position, not what a threshold made of it.
 * @throws EnvironmentError or DataError for the file
 */
export async function fitTrajectories(path: string, evaluations: number): Promise<ProcessFile> {
  const trajectories = readTrajectories(path);
  const states = recordedStates(trajectories, path);
  const shipped = processFile();
  const parametersAt = (point: readonly number[]): ProcessParameters => ({
    ...shipped.parameters,
    ...Object.fromEntries(FREE.map(({ name, scale }, i) => [name, BACK[scale](point[i])])),
  });
  const value = async (point: readonly number[]): Promise<number> => {
    await new Promise(setImmediate);
    return difference(processPoints(parametersAt(point), states));
  };
  const start = FREE.map(({ name, scale }) => INTO[scale](shipped.parameters[name]));
  const steps = FREE.map(({ step }) => step);
  // Twice: a simplex that has shrunk too early gets its size back.
  const first = await nelderMead(value, start, steps, Math.ceil(evaluations / 2));
  const best = await nelderMead(value, first.point, steps, Math.ceil(evaluations / 2));
  const parameters = rounded(parametersAt(best.point));
  const texts = trajectories.map(({ textTokens }) => textTokens);
  const known = texts.filter((each) => each !== undefined);
  return {
    schema: 'dllm-npu/confidence-process@1',
    fittedTo: `${trajectories.length} recorded trajectories`,
    command: `dllm-npu workload fit --from FILE --evaluations ${evaluations}`,
    objective:
      'root mean square difference of the shares of masked positions at three confidences, by the masks to their left, in points',
    value: best.value,
    seed: 0,
    cases: trajectories.length,
    genLength: Math.max(...trajectories.map(({ steps: each }) => each[0].tokens.length)),
    evaluations,
    parameters,
    assumed: {
      ...shipped.assumed,
      wrongWeight: 'as in the shipped process: a recording shows few wrong tokens',
    },
    residuals: processPoints(parameters, states).map(({ name, processPct, recordedPct }) => ({
      name: `% with ${name}`,
      fitted: processPct,
      target: recordedPct,
    })),
    profiles: {
      paper: {
        description: 'the fit itself',
        shift: 0,
        basis: 'the recorded trajectories',
        textTokens:
          known.length < texts.length ? null : Math.max(1, known.reduce((a, b) => a + b, 0) / known.length),
      },
    },
  };
}

function rounded(parameters: ProcessParameters): ProcessParameters {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, value]) => [name, Number(value.toPrecision(DIGITS))]),
  ) as unknown as ProcessParameters;
}
