import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeFacts } from '../../experiments/lab/deciders/facts.js';
import { caseOf, SyntheticDecider } from '../../experiments/lab/deciders/synthetic/decider.js';
import {
  SYNTHETIC_CONFIG,
  SyntheticEngine,
  streamAt,
  TOKENS,
} from '../../experiments/lab/deciders/synthetic/engine.js';
import { nelderMead } from '../../experiments/lab/deciders/synthetic/nelder-mead.js';
import {
  bySession,
  objective,
  plainly,
  residuals,
} from '../../experiments/lab/deciders/synthetic/objective.js';
import { plainThreshold } from '../../experiments/lab/deciders/synthetic/plain-threshold.js';
import { confidenceOf, contextOf, latentAt } from '../../experiments/lab/deciders/synthetic/process.js';
import { processFile } from '../../experiments/lab/deciders/synthetic/profiles.js';
import { variant } from '../../experiments/lab/decode-statistics.js';
import { openDecider } from '../../experiments/lab/open.js';
import { composePolicy } from '../../src/decode/method/compose.js';
import { decode } from '../../src/decode/method/session.js';
import { scoreRow } from '../../src/decode/rules/score-row.js';
import { checkTrace, traceOf, writeTrace } from '../../src/decode/trace/trace.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

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
    expect([...contextOf(Float64Array.of(1, 0, 0, 1, 0.3, 0), 2).gap]).toEqual([0, 0, 1, 2, 0, 1]);
    const fade = Math.exp(-1 / 2);
    const whole = fade / (1 - fade);
    const { density } = contextOf(Float64Array.of(1, 0, 0.3), 2);
    // Left of the text everything is right; behind the last position nothing is seen.
    expect(density[1]).toBeCloseTo((fade * (1 + whole) + fade * 0.3) / (whole + fade));
    expect(density[2]).toBeCloseTo((fade * fade * (1 + whole)) / whole);
    // Masks behind the last token are as good as not there.
    const cut = contextOf(Float64Array.of(1, 0, 0.3, 0, 0), 2).density;
    expect([...cut.slice(0, 3)]).toEqual([...density]);
    expect(cut[4]).toBeCloseTo((fade ** 4 * (1 + whole) + fade ** 2 * 0.3) / whole);
    // All known is density 1, also at the right end.
    for (const each of contextOf(new Float64Array(20).fill(1), 2).density) expect(each).toBeCloseTo(1);
  });

  it('is surer with more context, and less sure where that context is wrong', async () => {
    const engine = new SyntheticEngine(parameters, CASE);
    const [a = 0, b = 0] = [6, 7].map(
      (position) => latentAt(CASE.seed, streamAt(position, CASE.promptLength), TOKENS).truth,
    );
    const wrong = (token: number) => (token + 1) % TOKENS;
    const base = { kind: 'denoise', lane: 'main', reads: [], visibility: 'all' } as const;
    const score = async (text: readonly number[], version: number) => {
      const rows = [...PROMPT, ...text].map((feed, position) => ({ position, feed }));
      const pass = { ...base, id: `${version}.0`, version, rows, logits: [8] };
      return scoreRow((await engine.run(pass)).logits, 0, SYNTHETIC_CONFIG.vocab, MASK).confidence;
    };
    const alone = await score([MASK, MASK, MASK, MASK], 1);
    const some = await score([MASK, b, MASK, MASK], 2);
    const all = await score([a, b, MASK, MASK], 3);
    const misled = await score([wrong(a), wrong(b), MASK, MASK], 4);
    expect(some).toBeGreaterThan(alone);
    expect(all).toBeGreaterThan(some);
    expect(misled).toBeLessThan(all);
    // Equal contexts give equal confidence, whatever came between: exact speculation rests on it.
    expect(await score([MASK, b, MASK, MASK], 5)).toBe(some);
  });

  it('never leaves the range of a best token', () => {
    const row = { gap: 100, density: 0, afterEnd: false, fed: false };
    const low = confidenceOf(parameters, { ease: 1, epsilon: -9 }, row, 1 / 63);
    expect(low).toBeGreaterThanOrEqual(1 / 63);
    expect(
      confidenceOf(parameters, { ease: 0, epsilon: 9 }, { ...row, gap: 0, density: 1 }, 1 / 63),
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
      expect(one.result.tokens.slice(CASE.textLength)).toContain(SYNTHETIC_CONFIG.endIds[0]);
    });
  }
});

describe('workloads', () => {
  const policy = composePolicy(variant('mbsd-sts'));

  it('harder profiles take more steps', async () => {
    const steps = async (name: string) => {
      const workload = await openDecider({ workload: name }, 3);
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
    const path = join(temporaryDirectory(), 'one.jsonl');
    const request = {
      policy,
      engine: new SyntheticEngine(parameters, CASE),
      promptIds: PROMPT,
      genLength: 64,
    };
    const live = await decode(request);
    writeTrace(path, traceOf(request, live));
    const workload = await openDecider({ workload: `trace:${path}` }, 1);
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
    await expect(openDecider({ workload: 'synthetic:hrad' }, 1)).rejects.toThrow(
      /unknown synthetic profile "hrad".*hard/,
    );
    await expect(openDecider({ workload: 'trace:/nowhere' }, 1)).rejects.toThrow(/cannot read \/nowhere/);
  });
});

describe('the fit', () => {
  it('searches with the very decodes of a session', async () => {
    for (const tau of [0.5, 0.8, 0.95]) {
      const run = { seed: 3, cases: 3, genLength: 64 };
      const [fast, slow] = [plainly(parameters, run, tau), await bySession(parameters, run, tau)];
      expect(fast.tokensPerStep).toBe(slow.tokensPerStep);
      expect(fast.committedBelow).toBeCloseTo(slow.committedBelow, 9);
      expect(fast.firstCommit).toEqual(slow.firstCommit);
    }
  });

  it('decides alike after any prompt', async () => {
    const policy = composePolicy(variant('threshold'));
    const [short, long] = await Promise.all(
      ['synthetic:paper,prompt=50', 'synthetic:paper,prompt=110'].map(async (name) => {
        const { denoise } = await decodeFacts(await openDecider({ workload: name }, 4), 0, {
          policy,
          genLength: 64,
        });
        return denoise.map(({ commits }) => commits.map(({ offset }) => offset));
      }),
    );
    expect(short).toEqual(long);
  });

  it('decodes end of text alike', async () => {
    const { seed, promptTokens, genLength } = { seed: 3, promptTokens: 12, genLength: 64 };
    const source = { seed, promptTokens, textTokens: 20 };
    const workload = new SyntheticDecider({ name: 'synthetic', fittedTo: 'a test', parameters, ...source });
    const policy = composePolicy(variant('threshold'));
    const { denoise } = await decodeFacts(workload, 1, { policy, genLength });
    expect(plainThreshold(parameters, caseOf(source, 1), genLength, 32, 0.9).steps).toBe(denoise.length);
  });

  it('is written down as it was found: parameters, command and residuals agree', async () => {
    const file = processFile();
    // Written out, which is as the session decodes: see above.
    const again = await residuals(file.parameters, file, plainly);
    expect(objective(again)).toBeCloseTo(file.value, 9);
    expect(again.map(({ name }) => name)).toEqual(file.residuals.map(({ name }) => name));
    again.forEach(({ fitted }, at) => {
      expect(fitted).toBeCloseTo(file.residuals[at].fitted, 9);
    });
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
