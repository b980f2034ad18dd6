import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { SyntheticEngine } from '../../../experiments/lab/deciders/synthetic/engine.js';
import { processFile } from '../../../experiments/lab/deciders/synthetic/profiles.js';
import { variant } from '../../../experiments/lab/decode-statistics.js';
import { decodeKind } from '../../../experiments/lab/kinds/decode.js';
import { Lab } from '../../../experiments/lab/lab.js';
import { composePolicy } from '../../../src/decode/method/compose.js';
import { decode } from '../../../src/decode/method/session.js';
import { traceOf, writeTrace } from '../../../src/decode/trace/trace.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const SMALL = { costModel: 'llada-8b', genLength: 32, policy: 'threshold' };
const configOf = (options: object) => decodeKind.config.parse({ ...SMALL, ...options });

describe('decode runs of a sweep', () => {
  const lab = new Lab();
  afterAll(() => lab.close());

  it('take decisions of the confidence process, which has no answers', async () => {
    const config = configOf({ workload: 'synthetic:hard', cases: 2 });
    expect(Object.keys(await decodeKind.inputs(config))).toContain('confidence process');
    const { metrics } = await decodeKind.run(config, lab);
    expect(metrics.exactShare).toBeNull();
    expect(metrics.forwards).toBeGreaterThan(3);
    expect(metrics.seconds).toBeGreaterThan(0);
    const easy = await decodeKind.run(configOf({ workload: 'synthetic:easy', cases: 2 }), lab);
    expect(Number(easy.metrics.forwards)).toBeLessThan(Number(metrics.forwards));
  });

  it('time a recorded trace on the machine that was asked for', async () => {
    const path = join(temporaryDirectory(), 'one.jsonl');
    const request = {
      policy: composePolicy(variant('threshold')),
      engine: new SyntheticEngine(processFile().parameters, { seed: 1, promptLength: 6, textLength: 50 }),
      promptIds: new Array<number>(6).fill(0),
      genLength: 32,
    };
    const live = await decode(request);
    writeTrace(path, traceOf(request, live));
    const config = configOf({ workload: `trace:${path}` });
    expect(Object.keys(await decodeKind.inputs(config))).toContain(`trace ${path}`);
    const [npu, cpu] = [
      await decodeKind.run(config, lab),
      await decodeKind.run(configOf({ workload: `trace:${path}`, stack: 'cpu', memory: 'unlimited' }), lab),
    ];
    expect(npu.metrics.forwards).toBe(live.counters.nfe);
    expect(Number(cpu.metrics.seconds)).toBeGreaterThan(Number(npu.metrics.seconds));
  });

  it('refuse a workload that does not exist before anything runs', async () => {
    await expect(decodeKind.inputs(configOf({ workload: 'synthetic:hrad' }))).rejects.toThrow(/hard/);
    await expect(decodeKind.inputs(configOf({ workload: 'synthetic:hard,promt=3' }))).rejects.toThrow(
      /prompt=/,
    );
    await expect(decodeKind.inputs(configOf({ workload: 'trace:/nowhere' }))).rejects.toThrow(/cannot read/);
  });
});
