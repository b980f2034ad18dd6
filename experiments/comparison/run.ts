import { join } from 'node:path';
import { project } from '../../src/util/project-root.js';
import { writeFigure } from '../figures/formats.js';
import type { Figure } from '../figures/page.js';
import type { FigureOptions } from '../figures/render.js';
import { paperNumbers, paperTable } from '../paper/numbers.js';
import { written } from './columns.js';
import { bySource, compareRow } from './compare.js';
import { WORKBENCH_DEFAULTS, type WorkbenchOptions } from './options.js';
import { REPRODUCE_SCHEMA, type ReproduceResult, writeResult } from './result.js';
import type { Study } from './study.js';
import { visibleOf } from './visible.js';
import { PAPER_WORKLOAD } from './words.js';
import type { Workbench } from './workbench.js';

const NO_DECISIONS = 'none: shapes and costs only';

export interface StudyOutcome {
  readonly result: ReproduceResult;
  readonly figure: Figure;
}

/** Measures, derives, compares and draws; writes nothing. Same options, same outcome. */
export async function runStudy(study: Study, bench: Workbench): Promise<StudyOutcome> {
  const paper = study.paper === null ? null : paperTable(study.paper);
  const published = paper?.columns ?? {};
  const open = () => bench.decodes(study.workload ?? PAPER_WORKLOAD);
  const decodes = study.workload === null ? null : await open();
  decodes?.startCounting();
  const measured = await study.measure(bench, open);
  const source = decodes?.decider.kind === 'synthetic' ? 'synthetic' : 'other';
  const derived = study.derive(measured, published);
  const columns = { ...measured, ...derived };
  const { costModel: model, quant, profile, genLength } = bench.options;
  const named = (text: string): string =>
    text.replaceAll('{model}', decodes?.decider.name ?? 'nobody').replaceAll('{tokens}', String(genLength));
  const shown = visibleOf(study, bench, decodes?.decider);
  const result: ReproduceResult = {
    schema: REPRODUCE_SCHEMA,
    name: study.name,
    title: study.title,
    command: commandLine(study, bench.options),
    version: project().version,
    paper:
      paper === null || !shown.matches
        ? null
        : { source: paperNumbers().source, where: paper.where, digitised: paper.digitised },
    runs: named(study.runs),
    decisions: decodes === null ? NO_DECISIONS : decodes.decided,
    costs: { model, quant, profile, profileSha256: bench.profileSha256 },
    rows: study.compare(columns, published).map((comparison) => {
      const row = shown.row(compareRow(comparison, source));
      return { ...row, reason: row.reason && named(row.reason) };
    }),
    table: study.table?.(columns).map((row) => ({ ...row })),
    measured: shown.columns(written(measured)),
    derived: shown.columns(written(derived)),
    formulas: shown.columns(study.formulas),
    published: shown.matches ? written(published) : {},
    conditions: shown.conditions,
    assumed: bench.assumed(study.stacks),
    notes: [
      ...shown.notes,
      ...study.notes.map((note) => named(bySource(note, source))).filter(shown.note),
      ...(paper?.note === undefined || !shown.matches ? [] : [`Paper: ${paper.note}.`]),
    ],
  };
  return { result, figure: withWords(study.figure(...shown.drawn(columns, published)), named) };
}

/** A figure whose texts are completed. */
export function withWords(figure: Figure, named: (text: string) => string): Figure {
  return (page) => JSON.parse(named(JSON.stringify(figure(page)))) as ReturnType<Figure>;
}

/** Writes `result.json`, `rows.csv` and the figure in four formats. Returns the paths. */
export async function writeOutcome(
  directory: string,
  { result, figure }: StudyOutcome,
  options: FigureOptions = {},
): Promise<string[]> {
  return [
    ...writeResult(directory, result),
    ...(await writeFigure(join(directory, 'figure'), figure, options)),
  ];
}

/** The command that gives the same, options at their defaults left out. */
function commandLine(study: Study, options: WorkbenchOptions): string {
  const names = Object.keys(WORKBENCH_DEFAULTS) as (keyof WorkbenchOptions)[];
  const said = names.filter((name) => options[name] !== WORKBENCH_DEFAULTS[name]);
  const flag = (name: string): string =>
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return [
    'dllm-npu reproduce',
    study.name,
    ...said.flatMap((name) => (options[name] === true ? [flag(name)] : [flag(name), options[name]])),
  ].join(' ');
}
