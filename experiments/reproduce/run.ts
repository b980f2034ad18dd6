import { join } from 'node:path';
import { project } from '../../src/util/project-root.js';
import { writeFigure } from '../figures/render.js';
import { paperNumbers, paperTable } from '../paper/numbers.js';
import type { Bench } from './bench.js';
import { BENCH_DEFAULTS, type BenchOptions } from './defaults.js';
import { evaluateExperiment } from './evaluate.js';
import type { Columns, Experiment } from './experiment.js';
import { REPRODUCE_SCHEMA, type ReproduceResult, writeResult } from './result.js';

/** Measures, derives and compares; writes nothing. Same options, same result. */
export async function runExperiment(experiment: Experiment, bench: Bench): Promise<ReproduceResult> {
  const paper = experiment.paper === null ? null : paperTable(experiment.paper);
  const published: Columns = paper?.columns ?? {};
  const measured = await experiment.measure(bench);
  const { derived, rows } = evaluateExperiment(experiment, measured, published);
  const { costModel: model, quant, profile } = bench.options;
  const named = (text: string): string => text.replaceAll('{model}', bench.options.model);
  return {
    schema: REPRODUCE_SCHEMA,
    name: experiment.name,
    title: experiment.title,
    command: commandLine(experiment, bench.options),
    version: project().version,
    paper:
      paper === null
        ? null
        : { source: paperNumbers().source, where: paper.where, digitised: paper.digitised },
    runs: experiment.runs,
    decisions: await decisions(experiment, bench),
    costs: { model, quant, profile, profileSha256: bench.profileSha256 },
    rows: rows.map((row) => ({ ...row, reason: row.reason === null ? null : named(row.reason) })),
    measured: mutable(measured),
    expressions: { ...experiment.derived },
    derived: mutable(derived),
    published: mutable(published),
    assumed: bench.assumed(experiment.stacks),
    notes: [...experiment.notes.map(named), ...(paper?.note === undefined ? [] : [`Paper: ${paper.note}.`])],
  };
}

/** Writes `result.json`, `rows.csv` and the figure in three formats. Returns the paths. */
export async function writeExperiment(
  directory: string,
  experiment: Experiment,
  result: ReproduceResult,
): Promise<string[]> {
  const figure = experiment.figure({ ...result.measured, ...result.derived }, result.published);
  return [...writeResult(directory, result), ...(await writeFigure(join(directory, 'figure'), figure))];
}

async function decisions(experiment: Experiment, bench: Bench): Promise<string> {
  if (experiment.source === 'machine') return 'none: shapes and costs only';
  if (experiment.name === 'table6') {
    const { summary, origin } = await bench.ladder();
    const { count, set, seed } = summary.prompts;
    return `${summary.model.name} on ${count} ${set} problems of seed ${seed}; ${origin}`;
  }
  const { model, prompts, seed } = bench.options;
  return `${model} on ${prompts} long held-out problems of seed ${seed}`;
}

function commandLine(experiment: Experiment, options: BenchOptions): string {
  const d = BENCH_DEFAULTS;
  const said = (flag: string, value: string | number | null, standard: string | number | null): string[] =>
    value === standard || value === null ? [] : [`${flag} ${value}`];
  return [
    `dllm-npu reproduce ${experiment.name}`,
    ...said('--model', options.model, d.model),
    ...said('--cost-model', options.costModel, d.costModel),
    ...said('--quant', options.quant, d.quant),
    ...said('--profile', options.profile, d.profile),
    ...said('--prompts', options.prompts, d.prompts),
    ...said('--seed', options.seed, d.seed),
    ...said('--gen-length', options.genLength, d.genLength),
    ...said('--summary', options.summary, d.summary),
  ].join(' ');
}

function mutable(columns: Columns): ReproduceResult['measured'] {
  return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, [...values]]));
}
