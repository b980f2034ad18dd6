import { UsageError } from '../../../src/errors.js';
import { project } from '../../../src/util/project-root.js';
import { modelOf } from '../../lab/deciders/name.js';
import { decidedCases } from '../../lab/kinds/case-result.js';
import { runAll, type StudyOptions } from '../../lab/study.js';
import type { QualityOptions } from './options.js';
import { outcomeOf, problemRuns } from './outcome.js';
import { QUALITY_SCHEMA, type QualityTable, qualityNotes, qualityRows } from './table.js';

/**
 * Decodes the same held-out problems under every policy and compares the answers in pairs. Every decode is a run of
 * the store: a table that was cut off goes on where it stopped, and a longer one takes over what a shorter one did.
 * @throws UsageError for unknown names or a baseline that is not among the policies
 */
export async function runQuality(options: QualityOptions, study: StudyOptions): Promise<QualityTable> {
  const { policies, baseline, n, firstIndex } = options;
  if (!policies.includes(baseline)) {
    throw new UsageError(`baseline ${baseline} is not among the policies ${policies.join(', ')}`);
  }
  const twice = policies.find((name, at) => policies.indexOf(name) !== at);
  if (twice !== undefined) throw new UsageError(`policy ${twice} is named twice`);
  const indices = Array.from({ length: n }, (_, at) => firstIndex + at);
  const records = await runAll(
    indices.flatMap((index) => problemRuns(options, index)),
    study,
  );
  const problems = indices.map((index, at) => ({
    index,
    policies: policies.map((_, policy) => outcomeOf(records[at * policies.length + policy])),
  }));
  const rows = qualityRows(options, problems);
  return {
    schema: QUALITY_SCHEMA,
    command: commandLine(options),
    version: project().version,
    gitCommit: study.gitCommit,
    node: process.version,
    engine: decidedCases(records[0]).engine ?? 'none',
    model: { name: options.model, sha256: records[0].inputs[`model ${modelOf(options.model)}`] },
    options,
    rows,
    notes: qualityNotes(options, rows),
  };
}

function commandLine(options: QualityOptions): string {
  return [
    'dllm-npu quality',
    `--n ${options.n}`,
    `--first-index ${options.firstIndex}`,
    `--seed ${options.seed}`,
    `--model ${options.model}`,
    `--engine ${options.engine}`,
    ...(options.data === undefined ? [] : [`--data ${options.data}`]),
    ...(options.scorer === undefined ? [] : [`--scorer '${options.scorer}'`]),
    ...(options.template === undefined ? [] : [`--template ${options.template}`]),
    ...(options.maskToken === undefined ? [] : [`--mask-token '${options.maskToken}'`]),
    `--gen-length ${options.genLength}`,
    ...(options.blockLength === null ? [] : [`--block-length ${options.blockLength}`]),
    `--baseline ${options.baseline}`,
    ...(options.machine === undefined ? [] : [`--machine ${options.machine}`]),
    `--policies ${options.policies.join(',')}`,
  ].join(' ');
}
