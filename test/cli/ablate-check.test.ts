import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../experiments/lab/record.js';
import { ResultStore } from '../../experiments/lab/store.js';
import { LADDER } from '../../experiments/studies/ladder/ladder.js';
import { ABLATION_DEFAULTS } from '../../experiments/studies/ladder/options.js';
import { runPrompts } from '../../experiments/studies/ladder/prompts.js';
import { VOCAB, writeCheckpoint } from '../support/checkpoint.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { randomWeights, tinyConfig } from '../support/tiny-model.js';

/** The parts of a record that are changed. */
interface Doctored {
  readonly detail: { readonly cases: readonly { readonly tokens: number[] }[] };
  readonly metrics: Record<string, number>;
}

describe('ablate', () => {
  it('fails when a row that must have the tokens of another has others, or misses its specification', async () => {
    const results = temporaryDirectory();
    const store = new ResultStore(results);
    // A model that learned nothing: what it writes is no matter here.
    const config = tinyConfig({
      vocab: VOCAB,
      hidden: 8,
      heads: 2,
      kvHeads: 2,
      headDim: 4,
      ffn: 8,
      layers: 1,
    });
    const model = await writeCheckpoint(config, randomWeights(config, 7));
    const small = { model, costModel: 'tinyllama-1.1b', prompts: 1, genLength: 16, blockLength: 8 };
    const options = { ...ABLATION_DEFAULTS, ...small, verifyEvery: 16 };
    await runPrompts(options, { store, jobs: 0 });
    const runs = store.hashes();

    // What a faulty machine or engine would have stored.
    const edit = (of: (record: RunRecord) => boolean, change: (record: Doctored) => void): void => {
      const hash = store.hashes().find((each) => of(store.read(each))) as string;
      const path = join(store.directory, hash.slice(0, 2), `${hash}.json`);
      const record = JSON.parse(readFileSync(path, 'utf8'));
      change(record);
      writeFileSync(path, JSON.stringify(record));
    };
    edit(
      ({ kind, config }) => kind === 'decode' && config.policy === 'block-kv' && config.memory === 'somr',
      (record) => {
        record.detail.cases[0].tokens[5] += 1;
      },
    );
    edit(
      ({ kind, config }) => kind === 'verify' && config.policy === LADDER.at(-1)?.policy,
      (record) => {
        record.metrics.mismatches = 2;
      },
    );
    const lengths = ['--gen-length', '16', '--block-length', '8', '--verify-every', '16'];
    const settings = ['--cost-model', 'tinyllama-1.1b', '--cases', '1', ...lengths, '--jobs', '0', '--json'];
    const { code, stdout, stderr } = await cli([
      'ablate',
      ...['--model', model],
      ...settings,
      ...['--results', results, '--out', join(results, 'out')],
    ]);
    expect(store.hashes()).toHaveLength(runs.length);
    expect(code).toBe(1);
    expect(stderr).toContain('+ SOMR: tokens differ from CPU + prefix KV');
    expect(stderr).toMatch(/\+ SCR: 2 of \d+ predictions differ from their specification/);
    // What was found is written all the same.
    const verdicts = JSON.parse(stdout).rows.map(
      (row: { token_exact: { verdict: string } }) => row.token_exact.verdict,
    );
    expect(verdicts).toContain('diverges');
  });
});
