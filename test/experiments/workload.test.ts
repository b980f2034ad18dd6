import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { variant } from '../../experiments/reproduce/decode-statistics.js';
import { decodeFacts } from '../../experiments/workload/facts.js';
import { openWorkload } from '../../experiments/workload/open-workload.js';
import { SYNTHETIC_CONFIG, SyntheticEngine } from '../../experiments/workload/synthetic/engine.js';
import { nelderMead } from '../../experiments/workload/synthetic/nelder-mead.js';
import { objective, residuals } from '../../experiments/workload/synthetic/objective.js';
import { confidenceOf, densities, gaps } from '../../experiments/workload/synthetic/process.js';
import { processFile } from '../../experiments/workload/synthetic/profiles.js';
import { composePolicy } from '../../src/decode/compose.js';
import { scoreRow } from '../../src/decode/confidence.js';
import { decode } from '../../src/decode/session.js';
import { checkTrace, traceOf, writeTrace } from '../../src/decode/trace.js';

const { parameters } = processFile();
const CASE = { seed: 5, promptLength: 6, textLength: 50 };
const MASK = SYNTHETIC_CONFIG.maskId ?? -1;
const PROMPT = new Array<number>(CASE.promptLength).fill(0);
const POLICIES = [
  'block-kv',
  'threshold',
  'mbsd',
  'llada.cpp',
  'fast-dllm-dual',
  'exact-speculation',
  'wino',
];

describe('confidence process', () => {
  it('counts gaps and densities as it says', () => {
    expect(gaps([true, false, false, true, false])).toEqual([0, 0, 1, 2, 0]);
    const known = [true, false, true];
    const fade = Math.exp(-1 / 2);
    const whole = fade / (1 - fade);
    expect(densities(known, 2)[1]).toBeCloseTo((fade * (1 + whole) + fade) / (2 * whole));
    // All known on both sides, far from the right end, is density 1.
    expect(densities(new Array<boolean>(200).fill(true), 2)[50]).toBeCloseTo(1);
  });

  it('is as sure as its logits say, surer with more context and less behind a gap', async () => {
    const engine = new SyntheticEngine(parameters, CASE);
    const base = { kind: 'denoise', lane: 'main', reads: [], visibility: 'all' } as const;
    const score = async (feeds: readonly number[], version: number) => {
      const rows = feeds.map((feed, position) => ({ position, feed }));
      const pass = { ...base, id: `${version}.0`, version, rows, logits: [4] };
      return scoreRow((await engine.run(pass)).logits, 0, SYNTHETIC_CONFIG.vocab, MASK).confidence;
    };
    const alone = await score([MASK, MASK, MASK, MASK, MASK, MASK], 1);
    const some = await score([1, 1, MASK, MASK, MASK, MASK], 2);
    const all = await score([1, 1, 1, 1, MASK, 1], 3);
    expect(some).toBeGreaterThan(alone);
    expect(all).toBeGreaterThan(some);
    // The noise is the only thing that could differ, and it hangs on the context alone.
    expect(await score([1, 1, MASK, MASK, MASK, MASK], 4)).toBe(some);
  });

  it('never leaves the range of a best token', () => {
    const row = { gap: 100, density: 0, known: 0, afterEnd: false, fed: false };
    const low = confidenceOf(parameters, { easy: false, epsilon: -9 }, row, 0, 1 / 63);
    expect(low).toBeGreaterThanOrEqual(1 / 63);
    expect(
      confidenceOf(parameters, { easy: true, epsilon: 9 }, { ...row, gap: 0, density: 1 }, 0, 1 / 63),
    ).toBeLessThanOrEqual(1);
  });

  for (const name of POLICIES) {
    it(`keeps the laws of decoding under ${name}, the same way twice`, async () => {
      const policy = composePolicy({ ...variant(name), blockLength: 16 });
      const run = async () => {
        const engine = new SyntheticEngine(parameters, CASE);
        const request = { policy, engine, promptIds: PROMPT, genLength: 64 };
        const result = await decode(request);
        return { result, trace: traceOf(request, result) };
      };
      const [one, two] = [await run(), await run()];
      expect(checkTrace(one.trace)).toEqual([]);
      expect(one.result.tokens).toEqual(two.result.tokens);
      expect(one.result.tokens.slice(CASE.textLength)).toContain(SYNTHETIC_CONFIG.eosId);
    });
  }
});

describe('workloads', () => {
  const policy = composePolicy(variant('mbsd-sts'));

  it('harder profiles take more steps', async () => {
    const steps = async (name: string) => {
      const workload = await openWorkload(name, 3);
      let sum = 0;
      for (let index = 0; index < 12; index++)
        sum += (
          await decodeFacts(workload, index, { policy: composePolicy(variant('threshold')), genLength: 128 })
        ).denoise.length;
      return sum;
    };
    const [easy, paper, hard] = [
      await steps('synthetic:easy'),
      await steps('synthetic'),
      await steps('synthetic:hard'),
    ];
    expect(easy).toBeLessThan(paper);
    expect(paper).toBeLessThan(hard);
  });

  it('a recorded trace gives the facts of the decode it was made from, and refuses other policies', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'workload-')), 'one.jsonl');
    const request = {
      policy,
      engine: new SyntheticEngine(parameters, CASE),
      promptIds: PROMPT,
      genLength: 64,
    };
    const live = await decode(request);
    writeTrace(path, traceOf(request, live));
    const workload = await openWorkload(`trace:${path}`, 1);
    expect(workload.defaultCases).toBe(1);
    const facts = await decodeFacts(workload, 0, { policy, genLength: 64 });
    expect(facts.forwards).toBe(live.counters.nfe);
    expect(facts.denoise.flatMap((step) => step.commits)).toHaveLength(64);
    expect(facts.answer).toBeNull();
    const other = composePolicy(variant('threshold'));
    expect(() => workload.decode(0, { policy: other, genLength: 64 })).toThrow(
      /no trace of case 1 under policy threshold.*mbsd-sts/,
    );
    expect(() => workload.decode(0, { policy, genLength: 128 })).toThrow(/--gen-length 64/);
  });

  it('refuses names that are none', async () => {
    await expect(openWorkload('synthetic:hrad', 1)).rejects.toThrow(/unknown synthetic profile "hrad".*hard/);
    await expect(openWorkload('trace:/nowhere', 1)).rejects.toThrow(/cannot read trace/);
  });
});

describe('the fit', () => {
  it('is written down as it was found: parameters, command and residuals agree', async () => {
    const file = processFile();
    const again = await residuals(file.parameters, file);
    expect(objective(again)).toBeCloseTo(file.value, 9);
    expect(again.map(({ fitted }) => fitted)).toEqual(file.residuals.map(({ fitted }) => fitted));
    expect(file.residuals.every(({ name }) => /^Figure (5b|8),/.test(name))).toBe(true);
  });

  it('minimises', async () => {
    const found = await nelderMead(
      ([x = 0, y = 0]) => Promise.resolve((x - 3) ** 2 + 10 * (y + 1) ** 2),
      [0, 0],
      [1, 1],
      200,
    );
    expect(found.point[0]).toBeCloseTo(3, 3);
    expect(found.point[1]).toBeCloseTo(-1, 3);
  });
});
