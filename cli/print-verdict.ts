import { createColors } from 'picocolors';
import { engineDifferences } from '../experiments/lab/verify-policies.js';
import type { PolicyReport, TechniqueVerdict } from '../src/engine/verify/verify-policy.js';
import { table } from '../src/util/table.js';
import type { Context } from './io.js';

/** What was proved about one policy. */
export function printVerdict(ctx: Context, report: PolicyReport): void {
  const { policy, problems, tokens, first, specification, twin, laws, forwards } = report;
  ctx.print(`${policy} on ${report.engine}: ${problems} problems, ${tokens} tokens`);
  const { rows, maxConfidenceError, maxNatsError } = specification;
  const nats = maxNatsError === null ? '' : `, drifts and gaps within ${maxNatsError.toExponential(1)} nats`;
  ctx.print(
    specification.mismatches === 0
      ? `token-exact with its own specification: ${rows} predictions recomputed, confidence within ${maxConfidenceError.toExponential(1)}${nats}`
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
  for (const { technique, because } of report.notCompared)
    ctx.print(`  ${technique}: not compared, ${because}`);
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

/** A line a policy and engine, and what went wrong. */
export function printVerdicts(ctx: Context, reports: readonly PolicyReport[]): void {
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
    ...['policy', 'engine', '> forwards', '> tok/fwd', '> recomputed', '> mismatches'],
    ...['gives up', 'exact with'],
  ];
  ctx.print(table(head, rows));
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
