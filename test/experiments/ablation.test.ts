import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ResultStore } from '../../experiments/lab/store.js';
import { LADDER } from '../../experiments/studies/ladder/ladder.js';
import { ABLATION_DEFAULTS, type AblationOptions } from '../../experiments/studies/ladder/options.js';
import { runAblation } from '../../experiments/studies/ladder/run.js';
import { formatSummary, parseSummary } from '../../experiments/studies/ladder/summary-file.js';
import type { AblationRow, AblationSummary } from '../../experiments/studies/ladder/types.js';
import { checkTrace, type Trace } from '../../src/decode/trace/trace.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const small: AblationOptions = {
  ...ABLATION_DEFAULTS,
  prompts: 1,
  genLength: 32,
  blockLength: 16,
  verifyPrompts: 1,
  verifyEvery: 4,
};
const study = () => ({ store: new ResultStore(temporaryDirectory()), jobs: 0 });

describe('the ladder, on the shipped model', () => {
  let summary: AblationSummary;
  const row = (name: string): AblationRow => {
    const found = summary.rows.find((r) => r.name === name);
    if (found === undefined) throw new Error(`no row ${name}`);
    return found;
  };

  const traces = new Map<string, Trace>();
  const own = study();

  beforeAll(async () => {
    summary = await runAblation(small, { ...own, onTrace: (name, trace) => traces.set(name, trace) });
  });

  it('has every row of the paper in order, each with a positive latency', () => {
    expect(summary.rows.map((r) => r.name)).toEqual(LADDER.map((r) => r.name));
    for (const r of summary.rows) expect(r.latency_s.median).toBeGreaterThan(0);
  });

  it('is a valid summary that survives a round trip', () => {
    expect(parseSummary(JSON.parse(formatSummary(summary)), 'round trip')).toEqual(summary);
  });

  it('keeps the tokens where only the machine changes', () => {
    for (const name of ['NPU', 'NPU + prefix KV', '+ SOMR', '+ SLS']) {
      expect(row(name).token_exact.verdict, name).toBe('exact');
    }
  });

  it('verifies every row against its own specification', () => {
    for (const r of summary.rows) {
      expect(r.token_exact.specification?.rows, r.name).toBeGreaterThan(0);
      expect(r.token_exact.specification?.mismatches, r.name).toBe(0);
    }
  });

  it('can trace each latency to a trace that keeps the laws', () => {
    expect([...traces.keys()]).toEqual(LADDER.map((r) => r.name));
    for (const [name, trace] of traces) {
      expect(checkTrace(trace), name).toEqual([]);
      expect(trace.steps.at(-1)?.timing?.endMs, name).toBeCloseTo(row(name).latency_s.samples[0] * 1000, 6);
      expect(trace.steps.length, name).toBeGreaterThanOrEqual(row(name).forwards.mean);
    }
  });

  it('counts forwards as the baselines define them', () => {
    // Vanilla: one full forward per token. Prefix KV: prefill, one per token, one seal per finished block.
    expect(row('CPU').forwards.mean).toBe(32);
    expect(row('CPU + prefix KV').forwards).toMatchObject({ prefill: 1, denoise: 32 });
    expect(row('+ STS').forwards.mean).toBeLessThan(row('+ SOMR').forwards.mean);
  });

  it('never reports a resource as busy for longer than the run', () => {
    for (const r of summary.rows) {
      for (const share of Object.values(r.utilization)) {
        if (share !== null) expect(share).toBeLessThanOrEqual(1);
      }
    }
  });

  it('gives the same bytes again, from what is kept and from what has to be made anew', async () => {
    const { store } = own;
    const isCheap = (policy: unknown): boolean => policy === 'mbsd-sts-drafts-masked';
    const lost = store.hashes().filter((hash) => isCheap(store.read(hash).config.policy));
    expect(lost).toHaveLength(2);
    for (const hash of lost) rmSync(join(store.directory, hash.slice(0, 2), `${hash}.json`));
    expect(formatSummary(await runAblation(small, own))).toBe(formatSummary(summary));
    expect(store.hashes()).toEqual(expect.arrayContaining(lost));
  });
});

describe('bad options', () => {
  it.each([
    [{ prompts: 0 }, /prompts/],
    [{ genLength: 100 }, /block length 16 does not divide/],
    [{ model: 'tiny-lada' }, /tiny-llada/],
    [{ profile: 'sm8570' }, /sm8550/],
    [{ costModel: 'llada-8' }, /llada-8b/],
  ])('%j is refused with what to do', async (change, message) => {
    await expect(runAblation({ ...small, ...change }, study())).rejects.toThrow(message);
  });

  it.each([
    ['tiny-dual', /row CPU: model tiny-dual sees blocks of 8 .* shows rows what is right of their block/],
    ['synthetic', /synthetic is no model/],
  ])('%s as model is refused before anything runs', async (model, message) => {
    const asked = study();
    await expect(runAblation({ ...small, model }, asked)).rejects.toThrow(message);
    expect(asked.store.hashes()).toEqual([]);
  });
});
