import { join } from 'node:path';
import { createColors } from 'picocolors';
import type { AblationOptions } from '../experiments/studies/ladder/options.js';
import type { PolicyReport } from '../src/engine/verify/verify-policy.js';
import { CheckError } from '../src/errors.js';
import { type Column, formatTable } from '../src/util/table.js';
import type { Context } from './io.js';
import { progressBar } from './progress.js';
import { requireTokenizer } from './prompt.js';

export interface AblatePoliciesOptions
  extends Pick<AblationOptions, 'model' | 'prompts' | 'firstIndex' | 'seed' | 'genLength' | 'verifyEvery'> {
  /** Comma-separated names, or `all`. */
  readonly policies: string;
  readonly engine: 'tfjs' | 'ort' | 'both';
  readonly out?: string;
}

/**
 * Runs every policy on the shipped model's problems with the engines asked for, each decode verified as by `verify`.
 * @throws CheckError when any of them has a mismatch
 */
export async function ablatePolicies(ctx: Context, options: AblatePoliciesOptions): Promise<void> {
  const { POLICY_NAMES, policySpecByName } = await import('../src/decode/policies.js');
  const { parsePolicySpec } = await import('../src/decode/spec.js');
  const { cooperative } = await import('../src/engine/cooperative.js');
  const { useBackend } = await import('../src/engine/tfjs/backend.js');
  const { loadWeightTensors } = await import('../src/engine/tfjs/weight-tensors.js');
  const { verifyPolicy } = await import('../src/engine/verify/verify-policy.js');
  const { loadModel } = await import('../src/model/load.js');
  const { encodePrompt } = await import('../src/model/prompt.js');
  const { generateProblem } = await import('../src/score/problems.js');
  const { openEngine } = await import('./engine-options.js');
  const names = options.policies === 'all' ? POLICY_NAMES : options.policies.split(',').map((n) => n.trim());
  const specs = names.map((name) => parsePolicySpec(policySpecByName(name)));
  const engines = options.engine === 'both' ? ['tfjs', 'ort'] : [options.engine];
  const model = await loadModel(options.model);
  const tokenizer = requireTokenizer(model);
  const problems = Array.from({ length: options.prompts }, (_, at) => {
    const index = options.firstIndex + at;
    const { prompt } = generateProblem(options.seed, index, 'long', 'heldout');
    return { index, promptIds: encodePrompt(tokenizer, prompt) };
  });
  await useBackend('wasm');
  const weights = await loadWeightTensors(model.config, model.weights);
  const reports: PolicyReport[] = [];
  const bar = progressBar(ctx, 'policies', { log: true });
  try {
    for (const name of engines) {
      const settings = { engine: name, backend: 'wasm', threads: 1, compute: 'f32' };
      const engine = await openEngine(ctx, model, settings);
      try {
        for (const spec of specs) {
          bar.update(reports.length, engines.length * specs.length);
          reports.push(
            await verifyPolicy({
              engine: cooperative(engine),
              weights,
              spec,
              problems,
              genLength: options.genLength,
              every: options.verifyEvery,
              signal: ctx.signal,
            }),
          );
        }
      } finally {
        engine.dispose();
      }
    }
  } finally {
    bar.stop();
    weights.dispose();
    await model.weights.close();
  }
  const differing = engineDifferences(reports);
  ctx.data({ policies: reports, enginesDiffer: differing });
  if (options.out !== undefined) {
    const { atomicWriteFile } = await import('../src/util/atomic-write.js');
    atomicWriteFile(join(options.out, 'policies.json'), `${JSON.stringify(reports, null, 1)}\n`);
  }
  print(ctx, reports);
  const failed = reports.filter(({ mismatches }) => mismatches > 0);
  if (failed.length > 0) {
    throw new CheckError(`mismatches in ${failed.map((r) => `${r.policy} on ${r.engine}`).join(', ')}`);
  }
}

/** Policies whose tokens differ between the engines: a near-tie fell the other way. */
function engineDifferences(reports: readonly PolicyReport[]): string[] {
  const first = new Map<string, PolicyReport>();
  const found: string[] = [];
  for (const report of reports) {
    const other = first.get(report.policy);
    if (other === undefined) first.set(report.policy, report);
    else if (other.textHash !== report.textHash) found.push(report.policy);
  }
  return found;
}

function print(ctx: Context, reports: readonly PolicyReport[]): void {
  const rows = reports.map((r) => [
    r.policy,
    r.engine,
    String(r.forwards.policy / r.problems),
    (r.tokens / r.forwards.policy).toFixed(2),
    String(r.specification.rows),
    String(r.mismatches),
    r.laws.givenUp.map(({ part }) => part).join(' ') || '-',
    r.techniques.map((t) => `${t.technique}: ${t.tokenExactWith}`).join('; ') || 'baseline',
  ]);
  const head = [
    'policy',
    'engine',
    'forwards',
    'tok/fwd',
    'recomputed',
    'mismatches',
    'gives up',
    'exact with',
  ];
  const left = new Set(['policy', 'engine', 'gives up', 'exact with']);
  const columns = head.map(
    (title): Column => ({ header: [title], align: left.has(title) ? 'left' : 'right' }),
  );
  ctx.print(formatTable(columns, rows));
  const c = createColors(ctx.color);
  for (const { policy, engine, first } of reports) {
    if (first === null) continue;
    ctx.print(
      c.red(
        `${policy} on ${engine}: problem ${first.problem}, step ${first.step}, position ${first.position}: token ${first.token} instead of ${first.expected} (${first.against}), logit margin ${first.logitMargin.toExponential(2)}`,
      ),
    );
  }
  const differing = engineDifferences(reports);
  if (reports.some(({ engine }) => engine !== reports[0]?.engine)) {
    ctx.print(
      differing.length === 0
        ? 'the engines wrote the same tokens'
        : `the engines wrote different tokens under ${differing.join(', ')}`,
    );
  }
}
