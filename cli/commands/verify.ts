import type { Command } from 'commander';
import type { PolicyReport, TechniqueVerdict } from '../../src/engine/verify/verify-policy.js';
import { CheckError } from '../../src/errors.js';
import { addEngineOptions, type EngineOptions, openEngine } from '../engine-options.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';
import { addProblemOptions, chooseProblems, type ProblemOptions } from '../problem-options.js';
import { progressBar } from '../progress.js';

interface VerifyOptions extends EngineOptions, ProblemOptions {
  readonly every: number;
}

export function registerVerify(program: Command, context: () => Context): void {
  const verify = program
    .command('verify')
    .description(
      'prove what a policy preserves: recompute without cache or window, compare, check every law',
    );
  addProblemOptions(verify, { n: 4 }).option(
    '--every <n>',
    'recompute every n-th step (every token is compared in any case)',
    integer(1),
    1,
  );
  addEngineOptions(verify)
    .addHelpText(
      'after',
      '\nExits with 1 on any mismatch.' +
        '\n\nExamples:' +
        '\n  $ dllm-npu verify --policy llada.cpp --n 8' +
        '\n  $ dllm-npu verify --policy exact-speculation --n 100 --every 16 --json',
    )
    .action((options: VerifyOptions) => run(context(), options));
}

async function run(ctx: Context, options: VerifyOptions): Promise<void> {
  const { cooperative } = await import('../../src/engine/cooperative.js');
  const { useBackend } = await import('../../src/engine/tfjs/backend.js');
  const { loadWeightTensors } = await import('../../src/engine/tfjs/weight-tensors.js');
  const { verifyPolicy } = await import('../../src/engine/verify/verify-policy.js');
  const { spec, model, problems } = await chooseProblems(options);
  const engine = await openEngine(ctx, model, options);
  await useBackend('wasm');
  const weights = await loadWeightTensors(model.config, model.weights);
  const bar = progressBar(ctx, 'problems');
  try {
    const report = await verifyPolicy({
      engine: cooperative(engine),
      weights,
      spec,
      problems,
      genLength: options.genLength,
      every: options.every,
      signal: ctx.signal,
      onProgress: (done, total) => bar.update(done, total),
    }).finally(() => bar.stop());
    print(ctx, report);
  } finally {
    engine.dispose();
    weights.dispose();
    await model.weights.close();
  }
}

function print(ctx: Context, report: PolicyReport): void {
  const { policy, problems, tokens, mismatches, first, specification, twin, laws, forwards } = report;
  ctx.data(report);
  ctx.print(`${policy} on ${report.engine}: ${problems} problems, ${tokens} tokens`);
  const { rows, maxConfidenceError } = specification;
  ctx.print(
    specification.mismatches === 0
      ? `token-exact with its own specification: ${rows} predictions recomputed, confidence within ${maxConfidenceError.toExponential(1)}`
      : `${specification.mismatches} of ${rows} predictions do not follow from their context`,
  );
  if (twin !== null) {
    const saved = forwards.twin === null ? '' : ` (${forwards.policy} forwards against ${forwards.twin})`;
    ctx.print(
      twin.mismatches === 0
        ? `token-exact with ${twin.policy}${saved}`
        : `${twin.mismatches} of ${twin.tokens} tokens differ from ${twin.policy}${saved}`,
    );
  }
  for (const verdict of report.techniques) ctx.print(`  ${describeVerdict(verdict)}`);
  const { drafted, accepted, rowsWasted } = report.speculation;
  if (drafted > 0) {
    const perForward = (tokens / forwards.policy).toFixed(2);
    ctx.print(
      `${perForward} tokens per forward, ${accepted} of ${drafted} draft states accepted, ${rowsWasted} rows wasted`,
    );
  }
  ctx.print(
    laws.violations.length === 0 ? 'laws of decoding hold' : `${laws.violations.length} violations of laws`,
  );
  for (const { part, because } of laws.givenUp) ctx.print(`  given up by design: ${part}, ${because}`);
  for (const { problem, law, step, message } of laws.violations.slice(0, 5)) {
    ctx.print(`  problem ${problem}, step ${step}: ${law}: ${message}`);
  }
  if (first !== null) {
    const { problem, step, position, token, expected, against, logitMargin } = first;
    ctx.print(
      `first divergence: problem ${problem}, step ${step}, position ${position}: token ${token} instead of ${expected} (${against}), logit margin ${logitMargin.toExponential(2)}`,
    );
  }
  if (mismatches > 0)
    throw new CheckError(`${policy}: ${mismatches} ${mismatches === 1 ? 'mismatch' : 'mismatches'}`);
}

function describeVerdict({ technique, tokenExactWith, tokens, differing, first }: TechniqueVerdict): string {
  if (tokenExactWith === 'baseline') return `${technique}: token-exact with the baseline (${tokens} tokens)`;
  const where =
    first === null
      ? ''
      : `; first at problem ${first.problem}, step ${first.step}, position ${first.position}, logit margin ${first.logitMargin.toExponential(2)}`;
  const verdict = tokenExactWith === 'specification' ? 'token-exact with its own specification' : 'diverges';
  return `${technique}: ${verdict}, ${differing} of ${tokens} tokens differ from the baseline${where}`;
}
