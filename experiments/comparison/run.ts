import { join } from 'node:path';
import { project } from '../../src/util/project-root.js';
import { writeFigure } from '../figures/render.js';
import { paperNumbers, paperTable } from '../paper/numbers.js';
import type { Bench } from './bench.js';
import { BENCH_DEFAULTS, type BenchOptions } from './defaults.js';
import { bySource, evaluateExperiment } from './evaluate.js';
import type { Columns, Experiment } from './experiment.js';
import { REPRODUCE_SCHEMA, type ReproduceResult, writeResult } from './result.js';
import { PAPER_WORKLOAD } from './words.js';

const NO_DECISIONS = 'none: shapes and costs only';

/** Measures, derives and compares; writes nothing. Same options, same result. */
export async function runExperiment(experiment: Experiment, bench: Bench): Promise<ReproduceResult> {
  const paper = experiment.paper === null ? null : paperTable(experiment.paper);
  const published: Columns = paper?.columns ?? {};
  const open = () => bench.decodes(experiment.workload ?? PAPER_WORKLOAD);
  const measured = await experiment.measure(bench, open);
  const decodes = experiment.workload === null ? null : await open();
  const source = decodes?.workload.kind === 'synthetic' ? 'synthetic' : 'other';
  const { derived, rows } = evaluateExperiment(experiment, measured, published, source);
  const { costModel: model, quant, profile } = bench.options;
  const named = (text: string): string => text.replaceAll('{model}', decodes?.workload.name ?? 'nobody');
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
    decisions: decodes === null ? NO_DECISIONS : decodes.workload.decisions(decodes.cases),
    costs: { model, quant, profile, profileSha256: bench.profileSha256 },
    rows: rows.map((row) => ({ ...row, reason: row.reason === null ? null : named(row.reason) })),
    measured: mutable(measured),
    expressions: { ...experiment.derived },
    derived: mutable(derived),
    published: mutable(published),
    assumed: bench.assumed(experiment.stacks),
    notes: [
      ...experiment.notes.map((note) => named(bySource(note, source))),
      ...(paper?.note === undefined ? [] : [`Paper: ${paper.note}.`]),
    ],
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

function commandLine(experiment: Experiment, options: BenchOptions): string {
  const d = BENCH_DEFAULTS;
  const said = (flag: string, value: string | number | null, standard: string | number | null): string[] =>
    value === standard || value === null ? [] : [`${flag} ${value}`];
  return [
    `dllm-npu reproduce ${experiment.name}`,
    ...said('--workload', options.workload, d.workload),
    ...said('--cost-model', options.costModel, d.costModel),
    ...said('--quant', options.quant, d.quant),
    ...said('--profile', options.profile, d.profile),
    ...said('--prompts', options.prompts, d.prompts),
    ...said('--seed', options.seed, d.seed),
    ...said('--gen-length', options.genLength, d.genLength),
  ].join(' ');
}

function mutable(columns: Columns): ReproduceResult['measured'] {
  return Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, [...values]]));
}
