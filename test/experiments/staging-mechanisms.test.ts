import { describe, expect, it } from 'vitest';
import { WORKBENCH_DEFAULTS } from '../../experiments/comparison/options.js';
import { runStudy } from '../../experiments/comparison/run.js';
import { Workbench } from '../../experiments/comparison/workbench.js';
import { residentInBuffersMib } from '../../experiments/studies/staging/buffers.js';
import { fitScale, natsBehind, sizesTried } from '../../experiments/studies/staging/fit.js';
import { stagingMarkdown } from '../../experiments/studies/staging/markdown.js';
import { stagingMechanisms } from '../../experiments/studies/staging-mechanisms.js';

const bench = new Workbench(WORKBENCH_DEFAULTS);

describe('fingerprints of staging', () => {
  it('keeps residents in whole buffers, and takes the staging out of one where no other has room', () => {
    // 3,072 + 256 leave the staging a fourth buffer; 2,816 + 256 are three buffers, and the staging lies in one of them.
    expect([3072, 2816, 2560, 2048, 1792, 1024, 768, 512, 0].map((mib) => residentInBuffersMib(mib))).toEqual(
      [3072, 2816, 2048, 2048, 1792, 1024, 768, 0, 0],
    );
    expect(residentInBuffersMib(700, 512, 0)).toBe(512);
  });

  it('fits one scale, exactly where the shape is right', () => {
    expect(fitScale([1, 2, 4], [500, 1000, 2000])).toMatchObject({ usPerMib: 500_000, rmsMs: 0 });
    // Least squares of y = s x over (1, 1), (1, 3): s = 2, both off by 1.
    expect(fitScale([1, 1], [1, 3])).toMatchObject({ usPerMib: 2000, rmsMs: 1 });
    expect(natsBehind(10, 10, 13)).toBe(0);
    expect(natsBehind(20, 10, 13)).toBeCloseTo(13 * Math.LN2, 12);
  });

  it('finds a size that was planted', () => {
    const budgets = Array.from({ length: 13 }, (_, i) => 256 * i);
    const planted = budgets.map((mib) => 0.5 * (3744 - residentInBuffersMib(mib, 512, 128)));
    const [best] = sizesTried(budgets, planted);
    expect(best.rmsMs).toBeCloseTo(0, 9);
    expect(best.bufferMib).toBe(512);
  });

  it('says of Figure 13c what its page and its notes say', async () => {
    const { result } = await runStudy(stagingMechanisms, bench);
    const { measured, derived, table = [] } = result;
    const of = (mechanism: string) => table.find((row) => row.mechanism === mechanism);
    // "excluded by its shape, whatever it costs"; "leaves 15 ms"; "a MiB costs 485 us"; "costs 80 to 200".
    for (const shape of [
      'these five together',
      'slots of 256 MiB, filled whole',
      'buffers of 1 GiB, mapped anew',
    ])
      expect(of(shape)?.excluded_by).toMatch(/^shape/);
    expect(of('whole buffers, the rest copied')?.excluded_by).toBe('size');
    expect(of('whole buffers, the rest copied')?.low).toBeCloseTo(80, 0);
    expect(of('whole buffers, the rest copied')?.high).toBeCloseTo(200, 0);
    expect(of('whole buffers, the rest faulted in')).toMatchObject({
      excluded_by: 'not excluded',
      behind_nats: 0,
    });
    expect(of('whole buffers, the rest faulted in')?.left_over_ms).toBeCloseTo(15.3, 1);
    expect(of('whole buffers, the rest faulted in')?.needs_us_per_mib).toBeCloseTo(485, 0);
    // "1.1 to 1.6 us for each page": what is missing at both ends.
    expect((485 - 200) / 256).toBeCloseTo(1.1, 1);
    expect((485 - 80) / 256).toBeCloseTo(1.6, 1);
    // "of all other sizes tried none leaves less": sizes that put the residents of these budgets where 1 GiB and 256 MiB do.
    expect(measured).toMatchObject({
      least_buffer_mib: [1024],
      most_buffer_mib: [1024],
      least_staging_mib: [256],
    });
    expect(derived.chance_nats[0]).toBeLessThan(16);
    const page = stagingMarkdown(result);
    expect(page).toContain('| 2560 | 846 | 614 |');
    expect(page).toContain('| left over, ms rms |  | 109 | 109 | 104 | 54 | 15 |');
  });
});
