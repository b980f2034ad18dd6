import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { kindNames } from '../../../experiments/lab/kinds/registry.js';
import { planEach, planRuns } from '../../../experiments/lab/plan.js';
import { setupSchema } from '../../../experiments/lab/setup.js';
import { ResultStore } from '../../../experiments/lab/store.js';
import { QUALITY_DEFAULTS } from '../../../experiments/studies/quality/options.js';
import { runQuality } from '../../../experiments/studies/quality/run.js';
import { project } from '../../../src/util/project-root.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** Stands for the code that computes results. */
let code = '';
vi.mock('../../../experiments/lab/code-version.js', () => ({ codeVersion: () => code }));
const CODES = ['a'.repeat(64), 'b'.repeat(64)] as const;

beforeEach(() => {
  [code] = CODES;
});

describe('what a run is', () => {
  it.each(kindNames())('%s: other code, another run', async (kind) => {
    const [before] = await planRuns(kind, [{}]);
    [, code] = CODES;
    const [after] = await planRuns(kind, [{}]);
    expect(after.hash).not.toBe(before.hash);
    expect(after).toEqual({ ...before, hash: after.hash, code });
  });

  it('a study never takes results of other code for its own, and does take its own', async () => {
    const store = new ResultStore(temporaryDirectory());
    const policies = ['block-kv', 'threshold'];
    const options = { ...QUALITY_DEFAULTS, n: 1, genLength: 32, blockLength: null, policies };
    const made: number[] = [];
    const study = { store, jobs: 0, onProgress: (_: number, total: number) => made.push(total) };
    const table = await runQuality(options, study);
    expect(made.at(-1)).toBe(2);
    await runQuality(options, study);
    expect(made.at(-1)).toBe(0);
    [, code] = CODES;
    expect(await runQuality(options, study)).toEqual(table);
    expect(made.at(-1)).toBe(2);
    expect(store.hashes()).toHaveLength(4);
  });

  it('every file of a model tells runs apart, and not its weights alone', async () => {
    const shipped = join(project().root, 'models', 'tiny-llada');
    const changes = [
      {},
      { 'config.json': { rope_theta: 20_000 } },
      { 'tokenizer.json': { truncation: null, own: 1 } },
    ];
    const copies = changes.map((changed) => {
      const copy = join(temporaryDirectory(), 'model');
      cpSync(shipped, copy, { recursive: true, filter: (file) => !file.endsWith('.gguf') });
      for (const [file, keys] of Object.entries(changed)) {
        const path = join(copy, file);
        writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...keys }));
      }
      return copy;
    });
    const wanted = copies.map((workload) => ({ kind: 'decide', config: { workload } }));
    const contents = (await planEach(wanted)).map(({ inputs }) => Object.values(inputs).sort().join());
    expect(new Set(contents).size).toBe(copies.length);
  });

  it('every option of a setup tells runs apart', async () => {
    const data = join(temporaryDirectory(), 'data.jsonl');
    writeFileSync(data, '{"prompt": "A sort owl elk ant", "answer": "ant elk owl"}\n');
    const other = {
      data,
      scorer: 'regex:ant',
      template: 'none',
      maskToken: '[]',
      maskShare: 0.5,
      maskDraws: 2,
      workload: 'synthetic',
      engine: 'ort',
      backend: 'cpu',
      threads: 2,
      compute: 'int8',
      device: 'vulkan0',
      policy: 'threshold',
      options: { 'commit.visible': 0.8 },
      blockLength: 16,
      costModel: 'dream-7b',
      quant: 'q8_0',
      profile: 'sm8650',
      stack: 'cpu',
      memory: 'unlimited',
      placement: 'alternating',
      numbers: { 'profile.npu.dmaRate': '60 GB/s' },
      seed: 2,
      firstCase: 1,
      cases: 2,
      genLength: 64,
    };
    expect(Object.keys(other).sort()).toEqual(Object.keys(setupSchema.shape).sort());
    const wanted = Object.entries(other).map(([name, value]) => ({
      kind: 'decode',
      // A scorer is for answers of a file.
      config: name === 'scorer' ? { data, scorer: value } : { [name]: value },
    }));
    const hashes = (await planEach([{ kind: 'decode', config: {} }, ...wanted])).map(({ hash }) => hash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('runs come back in the order and as often as they were asked for', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 6 }), async (rows) => {
        const planned = await planEach(rows.map((each) => ({ kind: 'step', config: { rows: each } })));
        expect(planned.map(({ config }) => config.rows)).toEqual(rows);
        expect(new Set(planned).size).toBe(new Set(rows).size);
      }),
      { numRuns: 20 },
    );
  });
});
