import { describe, expect, it } from 'vitest';
import { Context } from '../../cli/io.js';
import { printVerdict, printVerdicts } from '../../cli/print-verdict.js';
import type { Divergence, PolicyReport } from '../../src/engine/verify/verify-policy.js';

const first: Divergence = {
  ...{ problem: 3, against: 'specification', step: 9, position: 40, token: 7, expected: 8 },
  logitMargin: 0.125,
};
/** A report in which nothing is wrong. */
const report = (changes: Partial<PolicyReport> = {}): PolicyReport => ({
  ...{ policy: 'own', engine: 'tfjs', problems: 2, tokens: 64, textHash: 5, mismatches: 0, first: null },
  specification: { rows: 90, mismatches: 0, maxConfidenceError: 0.0000025, maxNatsError: null },
  twin: null,
  techniques: [],
  notCompared: [],
  laws: { violations: [], givenUp: [] },
  speculation: { drafted: 0, accepted: 0, rowsWasted: 0 },
  forwards: { policy: 16, twin: null },
  ...changes,
});

/** What is written, line by line. */
function written(print: (ctx: Context) => void, isTTY = false): string[] {
  let text = '';
  const out = { write: (part: string) => (text += part), isTTY };
  print(new Context({ stdout: out, stderr: out, env: {}, signal: new AbortController().signal }, {}));
  return text.trimEnd().split('\n');
}
const said = (changes: Partial<PolicyReport>) => written((ctx) => printVerdict(ctx, report(changes)));

describe('a verdict in words', () => {
  it('of a policy with nothing wrong', () => {
    expect(said({})).toEqual([
      'own on tfjs: 2 problems, 64 tokens',
      'token-exact with its own specification: 90 predictions recomputed, confidence within 2.5e-6',
      'laws of decoding hold',
    ]);
  });

  it('says how close the numbers beside a confidence were, where there are any', () => {
    const [, specification] = said({
      specification: { rows: 90, mismatches: 0, maxConfidenceError: 0.001, maxNatsError: 0.02 },
    });
    expect(specification).toMatch(/confidence within 1\.0e-3, drifts and gaps within 2\.0e-2 nats$/);
  });

  it('counts predictions that do not follow, and names the first', () => {
    const lines = said({
      specification: { rows: 90, mismatches: 4, maxConfidenceError: 0, maxNatsError: 0.5 },
      first,
    });
    expect(lines[1]).toBe('4 of 90 predictions do not follow from their context');
    expect(lines.at(-1)).toBe(
      'first divergence: problem 3, step 9, position 40: token 7 instead of 8 (specification), logit margin 1.25e-1',
    );
  });

  it('compares with the lossless twin, and with what its forwards cost', () => {
    const twin = { policy: 'own without speculation', tokens: 64, mismatches: 0 };
    expect(said({ twin, forwards: { policy: 16, twin: 20 } })[2]).toBe(
      'token-exact with own without speculation (16 forwards against 20)',
    );
    expect(said({ twin })[2]).toBe('token-exact with own without speculation');
    expect(said({ twin: { ...twin, mismatches: 3 }, forwards: { policy: 16, twin: 20 } })[2]).toBe(
      '3 of 64 tokens differ from own without speculation (16 forwards against 20)',
    );
  });

  it('says of every technique what it keeps, and which were not compared', () => {
    const technique = { technique: 'KV reuse', against: 'own without it', tokens: 64, differing: 0 };
    const lines = said({
      techniques: [
        { ...technique, tokenExactWith: 'baseline', first: null },
        { ...technique, tokenExactWith: 'specification', differing: 5, first },
        { ...technique, tokenExactWith: 'diverges', differing: 6, first: null },
      ],
      notCompared: [{ technique: 'windows', because: 'the model sees blocks' }],
    });
    const where = '; first at problem 3, step 9, position 40, logit margin 1.25e-1';
    expect(lines.slice(2, 6)).toEqual([
      '  KV reuse: token-exact with the baseline (64 tokens)',
      `  KV reuse: token-exact with its own specification, 5 of 64 tokens differ from the baseline${where}`,
      '  KV reuse: diverges, 6 of 64 tokens differ from the baseline',
      '  windows: not compared, the model sees blocks',
    ]);
  });

  it('counts drafts where there were any', () => {
    expect(said({ speculation: { drafted: 1, accepted: 0, rowsWasted: 9 } })[2]).toBe(
      '4.00 tokens per forward, 0 of 1 draft states accepted, 9 rows wasted',
    );
  });

  it('counts broken laws, shows five, and names what is given up', () => {
    const violations = Array.from({ length: 7 }, (_, step) => ({
      ...{
        problem: 2,
        law: 'D1' as const,
        clause: 'stable-kv' as const,
        step,
        position: 1,
        message: 'changed',
      },
    }));
    const lines = said({
      laws: { violations, givenUp: [{ part: 'D1:token' as never, because: 'it edits' }] },
    });
    expect(lines.slice(2)).toEqual([
      '7 violations of laws',
      '  given up by design: D1:token, it edits',
      ...[0, 1, 2, 3, 4].map((step) => `  problem 2, step ${step}: D1: changed`),
    ]);
  });
});

describe('verdicts in a table', () => {
  const table = (reports: readonly PolicyReport[], isTTY = false) =>
    written((ctx) => printVerdicts(ctx, reports), isTTY).map((line) => line.trimEnd());

  it('have a line each', () => {
    const lines = table([
      report(),
      report({
        ...{ policy: 'other', mismatches: 2, forwards: { policy: 64, twin: null } },
        laws: { violations: [], givenUp: ['a', 'b'].map((part) => ({ part, because: '' })) as never },
        techniques: ['one', 'two'].map((technique) => ({ technique, tokenExactWith: 'baseline' })) as never,
      }),
    ]);
    const cells = lines.map((line) => line.split(/ {2,}/).map((cell) => cell.trim()));
    expect(cells[0]).toEqual(
      'policy,engine,forwards,tok/fwd,recomputed,mismatches,gives up,exact with'.split(','),
    );
    expect(cells).toContainEqual(['own', 'tfjs', '8', '4.00', '90', '0', '-', 'baseline']);
    expect(cells).toContainEqual([
      'other',
      'tfjs',
      '32',
      '1.00',
      '90',
      '2',
      'a b',
      'one: baseline; two: baseline',
    ]);
    // One engine wrote nothing that another could have written.
    expect(lines.filter((line) => /engines/.test(line))).toEqual([]);
    expect(lines.filter((line) => /instead of/.test(line))).toEqual([]);
  });

  it('name what parts first, in red where there is colour', () => {
    const line =
      'own on tfjs: problem 3, step 9, position 40: token 7 instead of 8 (specification), logit margin 1.25e-1';
    expect(table([report(), report({ first })])).toContain(line);
    expect(table([report({ first })], true)).toContain(`\u001b[31m${line}\u001b[39m`);
  });

  it('say whether engines wrote the same', () => {
    const ort = (policy: string, textHash: number) => report({ policy, textHash, engine: 'ort' });
    expect(table([report(), ort('own', 5)]).at(-1)).toBe('the engines wrote the same tokens');
    expect(table([report(), report({ policy: 'b' }), ort('own', 6), ort('b', 7)]).at(-1)).toBe(
      'the engines wrote different tokens under own, b',
    );
  });
});
