import { expect, it } from 'vitest';
import { createGgmlEngine } from '../../../src/engine/ggml/engine.js';
import { hasGgml } from '../../../src/engine/ggml/package.js';
import { denoisePass, randomRows } from '../../support/passes.js';
import { cli } from '../../support/run-cli.js';
import { randomWeights, tinyConfig } from '../../support/tiny-model.js';

it.skipIf(!hasGgml())('operators are timed one by one, by name, and leave the engine as it was', async () => {
  const config = tinyConfig();
  const engine = await createGgmlEngine(config, randomWeights(config), { threads: 1 });
  const pass = denoisePass(1, randomRows(config, 12, 3));
  const expected = (await engine.run(pass)).logits.slice();
  engine.retain([]);
  const times = await engine.operatorTimes!(denoisePass(2, pass.rows), 3);
  const of = (name: string) => times.find(({ operator }) => operator === name);
  for (const name of ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'])
    expect(of(name), name).toMatchObject({ count: config.layers });
  expect(of('set_rows')).toMatchObject({ count: 2 * config.layers });
  expect(of('logits')).toMatchObject({ count: 1 });
  for (const { samplesMs } of times) {
    expect(samplesMs).toHaveLength(3);
    for (const ms of samplesMs) expect(ms).toBeGreaterThan(0);
  }
  // K and V of that pass were not kept.
  expect(() => engine.readKv({ position: pass.rows[0].position, version: 2 })).toThrow(/does not exist/);
  expect((await engine.run(pass)).logits).toEqual(expected);
  engine.dispose();
});

it.skipIf(!hasGgml())('bench --operators shows where a pass goes', async () => {
  const quick = ['bench', '--rows', '8', '-r', '2', '--threads', '1', '--operators'];
  const { code, stdout } = await cli(quick);
  expect(code).toBe(0);
  expect(stdout).toMatch(/8 rows after 0: [\d.]+ ms one by one, [\d.]+ ms together\n\| operator /);
  expect(stdout).toMatch(/\| ffn_down \| 4 \| /);
  const { rows } = JSON.parse((await cli([...quick, '--json'])).stdout);
  expect(rows[0].operators.length).toBeGreaterThan(10);
  expect(await cli(['bench', '--rows', '8', '--engine', 'tfjs', '--operators'])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/engine tfjs-wasm does not time its operators: take ggml/),
  });
});

it.skipIf(!hasGgml())('bench says the threads that ran: a small pass is not shared', async () => {
  const of = async (...more: string[]) => {
    const { stdout } = await cli(['bench', '--rows', '1', '-r', '1', '--json', ...more]);
    return JSON.parse(stdout).rows[0].threads;
  };
  expect(await of()).toBe(1);
  expect(await of('--threads', '2')).toBe(2);
});
