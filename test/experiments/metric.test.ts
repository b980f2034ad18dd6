import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMetrics } from '../../experiments/lab/metric.js';
import { UsageError } from '../../src/errors.js';

const KNOWN = ['seconds', 'tokens', 'energy.dram_j', 'config.policy', 'config.rows'];
const row = { seconds: 6, tokens: 128, 'energy.dram_j': 3, 'config.policy': 'sts', 'config.rows': 32 };

async function value(
  text: string,
  of: Parameters<Awaited<ReturnType<typeof readMetrics>>[0]['of']>[0] = row,
) {
  const [metric] = await readMetrics([text], KNOWN);
  return metric.of(of);
}

describe("a user's metric", () => {
  it('is arithmetic over columns, named by its text or by a name before =', async () => {
    const [plain, named] = await readMetrics(['seconds / tokens', 's_per_token = seconds / tokens'], KNOWN);
    expect([plain.name, named.name]).toEqual(['seconds / tokens', 's_per_token']);
    expect([plain.of(row), named.of(row)]).toEqual([6 / 128, 6 / 128]);
    expect(await value('-2 * (energy.dram_j + config.rows) ^ 2')).toBe(-2 * 35 ** 2);
    expect(await value('max(seconds, tokens, 1) / log2(config.rows) - sqrt(16)')).toBe(128 / 5 - 4);
  });

  it('is null where a column is missing, and where nothing finite comes out', async () => {
    expect(await value('seconds ^ 0', { ...row, seconds: null })).toBeNull();
    expect(await value('seconds', {})).toBeNull();
    expect(await value('seconds / 0')).toBeNull();
    expect(await value('sqrt(-seconds)')).toBeNull();
  });

  it('refuses unknown names with the nearest ones', async () => {
    await expect(value('second / tokens')).rejects.toThrow(
      /metric "second \/ tokens": unknown column "second": did you mean seconds/,
    );
    await expect(value('energy.dram_J')).rejects.toThrow(/did you mean energy\.dram_j/);
    await expect(value('roud(seconds)')).rejects.toThrow(/unknown function "roud": did you mean round/);
    await expect(value('config.policy * 2')).rejects.toThrow(/config\.policy is "sts", no number/);
  });

  it('runs nothing else', async () => {
    for (const text of [
      'import({seconds: 1})',
      'evaluate("1")',
      'constructor',
      'toString()',
      'f(x) = seconds',
      'seconds; tokens',
      '[seconds, tokens]',
      '{a: seconds}',
      '"text"',
      'seconds > 1 ? 2 : 3',
      'seconds.constructor',
      'seconds["constructor"]',
      'sqrt(1, 2)',
      'max()',
      'add(1, 2)',
      'tokens!',
      'pi',
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
