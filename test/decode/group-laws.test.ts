import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkLaws } from '../../src/decode/laws/check.js';
import type { CheckedStep, LawContext } from '../../src/decode/laws/law.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { shownBy } from '../../src/decode/method/fits.js';
import { decode } from '../../src/decode/method/session.js';
import { lawsGivenUp } from '../../src/decode/parts.js';
import { policyByName, policySpecByName } from '../../src/decode/policies.js';
import type { PolicySpecInput } from '../../src/decode/spec.js';
import { DataError } from '../../src/errors.js';
import { logicalPasses, mergePasses, shiftedRows } from '../../src/pass/groups.js';
import type { Pass } from '../../src/pass/pass.js';
import { TOY_EOS, TOY_MASK, ToyEngine } from './support/toy-engine.js';

async function record(
  input: PolicySpecInput,
): Promise<{ context: LawContext; steps: readonly CheckedStep[] }> {
  const policy = composePolicy(input);
  const promptIds = [1, 2, 3];
  const genLength = 48;
  const { steps } = await decode({
    policy,
    engine: new ToyEngine({ seed: 21, sway: 0.6 }),
    promptIds,
    genLength,
  });
  const context = {
    start: policy.start(promptIds, genLength, TOY_MASK, { endIds: [TOY_EOS] }),
    stepBudget: policy.stepBudget(genLength),
    givenUp: lawsGivenUp(policy.spec).map(({ part }) => part),
    trained: shownBy(policy.spec),
  };
  return { context, steps };
}

const edit = (
  steps: readonly CheckedStep[],
  where: (s: CheckedStep) => boolean,
  change: (s: CheckedStep) => Partial<CheckedStep>,
) => {
  const at = steps.findIndex(where);
  expect(at).toBeGreaterThanOrEqual(0);
  return steps.map((step, index) => (index === at ? { ...step, ...change(step) } : step));
};

describe('laws of steps with row groups', () => {
  const exact = record({ ...policySpecByName('exact-speculation'), blockLength: 8 });
  const wino = record({
    ...policySpecByName('wino'),
    blockLength: 8,
    commit: { kind: 'revocable', tau: 0.3 },
  });
  const several = ({ accepted }: CheckedStep): boolean => accepted.length > 1;
  const revokes = ({ transitions }: CheckedStep): boolean => transitions.some((t) => t.reason === 'revoke');

  it('accept sound records', async () => {
    for (const run of [exact, wino]) {
      const { context, steps } = await run;
      expect(checkLaws(context, steps)).toEqual([]);
    }
  });

  it('name a draft state that was taken without being the next one', async () => {
    const { context, steps } = await exact;
    // The second accepted group is credited with what the first decided.
    const deciding = (s: CheckedStep) => several(s) && s.accepted[0].transitions > 0;
    const damaged = edit(steps, deciding, ({ accepted }) => ({
      accepted: accepted.map(({ group }) => ({ group, transitions: 0 })),
    }));
    expect(checkLaws(context, damaged)).not.toEqual([]);
  });

  it('name KV of a draft state that was not accepted', async () => {
    const { context, steps } = await exact;
    const sealing = (s: CheckedStep) => several(s) && s.kvWrites.length > 0;
    const damaged = edit(steps, sealing, ({ kvWrites }) => ({
      kvWrites: kvWrites.map((write) => ({ ...write, version: write.version + 1000 })),
    }));
    expect(checkLaws(context, damaged).map(({ law }) => law)).toContain('trace');
  });

  it('name a token taken back without a shadow row that says so', async () => {
    const { context, steps } = await wino;
    const damaged = edit(steps, revokes, ({ outcomes }) => ({
      outcomes: outcomes.map((o) => ({ ...o, rows: o.rows.map(({ asked: _, ...row }) => row) })),
    }));
    expect(checkLaws(context, damaged).map(({ law }) => law)).toContain('trace');
  });

  it('name a shadow row that is fed a token', async () => {
    const { context, steps } = await wino;
    const damaged = edit(steps, revokes, ({ plan }) => {
      const [main] = plan.passes;
      const rows = main.rows.map((row, index) =>
        index === main.rows.length - 1 ? { ...row, feed: 1 } : row,
      );
      return { plan: { ...plan, passes: [{ ...main, rows }] } };
    });
    expect(
      checkLaws(context, damaged)
        .map(({ message }) => message)
        .join(),
    ).toMatch(/shadow row .* is fed a token/);
  });
});

describe('row groups', () => {
  const pass = (version: number, positions: number[], reads: Pass['reads'], logits: number[]): Pass => ({
    id: `0.${version}`,
    kind: 'denoise',
    lane: 'main',
    version,
    reads,
    visibility: 'all',
    logits,
    rows: positions.map((position) => ({ position, feed: 7 })),
  });

  it('merge passes and come apart as what they were', () => {
    const prefix = [{ position: 0, version: 1 }];
    const first = pass(5, [1, 2], prefix, [1]);
    const second = pass(
      6,
      [3, 4],
      [...prefix, { position: 1, version: 5 }, { position: 2, version: 5 }],
      [0, 1],
    );
    const merged = mergePasses([first, second]);
    expect(merged).toMatchObject({ rows: { length: 4 }, reads: prefix, logits: [1, 2, 3] });
    expect(merged === null ? [] : logicalPasses(merged)).toEqual([first, { ...second, id: '0.5/1' }]);
  });

  it('do not merge what cannot ride along', () => {
    const first = pass(5, [1, 2], [{ position: 0, version: 1 }], []);
    expect(mergePasses([first, pass(6, [3], [], [])])).toBeNull();
    const half = [
      { position: 0, version: 1 },
      { position: 1, version: 5 },
    ];
    expect(mergePasses([first, pass(6, [3], half, [])])).toBeNull();
  });

  it('shift: a row is predicted by the one before it, one without by itself', () => {
    expect(shiftedRows(pass(5, [4, 7, 8], [], [0, 1, 2]))).toEqual([0, 1, 1]);
    expect(shiftedRows(pass(5, [4, 5, 6], [], [0, 1, 2]))).toEqual([0, 0, 1]);
    const merged = mergePasses([pass(5, [4, 5], [], [1]), pass(6, [4, 5], [], [0, 1])]);
    expect(merged === null ? [] : shiftedRows(merged)).toEqual([0, 2, 2]);
  });
});

describe('policy files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'policy-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const rules = { window: { kind: 'block' }, cache: { kind: 'prefix' }, commit: { kind: 'factor' } };

  it('are policies named after the file', () => {
    const policy = policyByName(
      write('mine.json', JSON.stringify({ $schema: 'policy.schema.json', ...rules })),
    );
    expect(policy.name).toBe('mine');
    expect(policy.spec.commit).toEqual({ kind: 'factor', factor: 1, lastRank: 'checked' });
  });

  it('are refused by what is wrong', () => {
    expect(() => policyByName(write('a.json', JSON.stringify({ ...rules, speed: 1 })))).toThrow(
      /unknown key "speed"/,
    );
    expect(() => policyByName(write('b.json', '{'))).toThrow(/b\.json/);
    expect(() => policyByName(join(folder, 'none.json'))).toThrow(/none\.json/);
    for (const text of ['[]', 'null', '7', '"x"', '[{"window": 1}]']) {
      expect(() => policyByName(write('c.json', text)), text).toThrow(/c\.json: policy: spec: /);
      expect(() => policyByName(write('c.json', text)), text).toThrow(DataError);
    }
  });
});
