import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMetrics, userMetrics } from '../../experiments/lab/metric.js';
import { RUN_SCHEMA, type RunRecord } from '../../experiments/lab/record.js';
import { UsageError } from '../../src/errors.js';

const row = { seconds: 6, tokens: 128, 'energy.dram_j': 3, 'config.policy': 'sts', 'config.rows': 32 };

async function value(text: string, of: Readonly<Record<string, string | number | null>> = row) {
  const [metric] = await readMetrics([text]);
  return metric.of(of);
}

/** A run with the columns of `row`. */
function record(metrics: Record<string, number | null>): RunRecord {
  const hash = '0'.repeat(64);
  return {
    schema: RUN_SCHEMA,
    hash,
    kind: 'decode',
    config: { policy: 'sts', rows: 32 },
    inputs: {},
    code: hash,
    version: '0',
    outcome: 'done',
    metrics,
  };
}

describe("a user's metric", () => {
  it('is arithmetic over columns, named by its text or by a name before =', async () => {
    const [plain, named] = await readMetrics(['seconds / tokens', 's_per_token = seconds / tokens']);
    expect([plain.name, named.name]).toEqual(['seconds / tokens', 's_per_token']);
    expect([plain.of(row), named.of(row)]).toEqual([6 / 128, 6 / 128]);
    expect(await value('-2 * (energy.dram_j + config.rows) ^ 2')).toBe(-2 * 35 ** 2);
    expect(await value('max(seconds, tokens, 1) / log2(config.rows) - sqrt(16)')).toBe(128 / 5 - 4);
  });

  it.each([
    ['abs(-2.5)', 2.5],
    ['cbrt(27)', 3],
    ['ceil(1.2)', 2],
    ['exp(0)', 1],
    ['floor(1.8)', 1],
    ['log(exp(2))', 2],
    ['log10(1000)', 3],
    ['log2(8)', 3],
    ['max(1, 5, 3)', 5],
    ['min(4, 2)', 2],
    ['max(7)', 7],
    ['pow(2, 10)', 1024],
    ['round(1.5)', 2],
    ['sign(-3)', -1],
    ['sqrt(9)', 3],
    ['+seconds', 6],
    ['7 - 2 - 1', 4],
    ['2 ^ 3 ^ 2', 512],
    ['-(seconds)', -6],
  ])('%s is %d', async (text, expected) => {
    expect(await value(text)).toBeCloseTo(expected, 12);
  });

  it('says of each what it is made of, and where its name ends', async () => {
    const [first, second, third] = await readMetrics([
      '  a1 = seconds / energy.dram_j',
      'tokens',
      '_x=2 * tokens',
    ]);
    expect([first.name, second.name, third.name]).toEqual(['a1', 'tokens', '_x']);
    expect([first.columns, second.columns, third.columns]).toEqual([
      ['seconds', 'energy.dram_j'],
      ['tokens'],
      ['tokens'],
    ]);
    expect(await readMetrics([])).toEqual([]);
    await expect(readMetrics(['1 +'])).rejects.toThrow(/^metric "1 \+": /);
    await expect(readMetrics(['"x"'])).rejects.toThrow(
      new UsageError('metric ""x"": ""x"" is no arithmetic over columns'),
    );
    await expect(readMetrics(['x == 1'])).rejects.toThrow(/"x == 1" is no arithmetic over columns/);
    expect(await value('seconds + 1', { ...row, seconds: null })).toBeNull();
  });

  it('is null where a column is missing, and where nothing finite comes out', async () => {
    expect(await value('seconds ^ 0', { ...row, seconds: null })).toBeNull();
    expect(await value('seconds', {})).toBeNull();
    expect(await value('seconds / 0')).toBeNull();
    expect(await value('sqrt(-seconds)')).toBeNull();
  });

  it('reads the columns of each run, and is null where a run has none', async () => {
    const runs = [
      record({ seconds: 6, tokens: 3 }),
      record({ seconds: 6, tokens: null }),
      record({ seconds: 8 }),
    ];
    expect(await userMetrics(runs, ['t = seconds / tokens', 'seconds / config.rows'])).toEqual([
      { t: 2, 'seconds / config.rows': 6 / 32 },
      { t: null, 'seconds / config.rows': 6 / 32 },
      { t: null, 'seconds / config.rows': 8 / 32 },
    ]);
    expect(await userMetrics([], ['nothing / is.known'])).toEqual([]);
  });

  it('refuses unknown names with the nearest ones, and text', async () => {
    const own = (text: string) =>
      userMetrics([record({ seconds: 6, tokens: 3, 'energy.dram_j': 1 })], [text]);
    await expect(own('second / tokens')).rejects.toThrow(
      /metric "second \/ tokens": unknown column "second": did you mean seconds/,
    );
    await expect(own('energy.dram_J')).rejects.toThrow(/did you mean energy\.dram_j/);
    await expect(own('seconds.constructor')).rejects.toThrow(/unknown column/);
    await expect(own('tokens = seconds / 2')).rejects.toThrow(/runs have a column of that name/);
    await expect(own('config.policy * 2')).rejects.toThrow(/config\.policy is "sts", no number/);
    await expect(value('roud(seconds)')).rejects.toThrow(/unknown function "roud": did you mean round/);
  });

  it('runs nothing else', async () => {
    for (const text of [
      'import({seconds: 1})',
      'evaluate("1")',
      'toString()',
      'f(x) = seconds',
      'seconds; tokens',
      '[seconds, tokens]',
      '{a: seconds}',
      '"text"',
      'seconds > 1 ? 2 : 3',
      'seconds["constructor"]',
      'sqrt(1, 2)',
      'max()',
      'add(1, 2)',
      'tokens!',
      '',
    ])
      await expect(value(text), text).rejects.toThrow(UsageError);
  });

  it('agrees with the same expression in JavaScript', async () => {
    const leaf = fc.oneof(fc.constantFrom('seconds', 'tokens'), fc.integer({ min: 1, max: 99 }).map(String));
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc
          .tuple(tie('tree'), fc.constantFrom('+', '-', '*', '/'), tie('tree'))
          .map(([a, sign, b]) => `(${a} ${sign} ${b})`),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(tree, async (text) => {
        const js = Number(new Function('seconds', 'tokens', `return ${text}`)(row.seconds, row.tokens));
        expect(await value(text)).toBe(Number.isFinite(js) ? js : null);
      }),
    );
  });
});
