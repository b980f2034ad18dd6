import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadProfile, profileHash, profileNames } from '../../../sim/hardware/load-profile.js';
import { PROFILE_DEFINITIONS } from '../../../sim/hardware/schema.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

/** Chips of a kind, oldest first. */
const LINES = [
  ['sm8450', 'sm8475', 'sm8550', 'sm8650', 'sm8750', 'sm8850'],
  ['sm8635', 'sm8735'],
  ['x1p', 'x2-elite'],
  ['x-elite', 'x2-elite', 'x2-elite-extreme'],
  ['qcs6490', 'qcs8550'],
];

/** More of these is never slower. */
const MORE_IS_FASTER = /clock|Rate|Threads|Macs|PerCycle|tcm|macsPerNs/;

describe('chips in order', () => {
  it('are not slower than their predecessor unless one harness measured both', () => {
    for (const line of LINES) {
      line.slice(1).forEach((name, at) => {
        const [older, newer] = [loadProfile(line[at]).provenance, loadProfile(name).provenance];
        for (const [path, number] of Object.entries(newer)) {
          if (!MORE_IS_FASTER.test(path) || number.slowerBy !== undefined) continue;
          expect(number.value, `${path} of ${name} after ${line[at]}`).toBeGreaterThanOrEqual(
            older[path].value,
          );
        }
      });
    }
  });

  it('that are slower name the pair of measurements, and are slower', () => {
    const { provenance } = loadProfile('sm8850');
    const slower = Object.entries(provenance).filter(([, { slowerBy }]) => slowerBy !== undefined);
    expect(slower.map(([path]) => path)).toContain('npu.dmaBypassRate');
    for (const [path, { value, slowerBy }] of slower) {
      expect(slowerBy).toMatch(/measurement/);
      expect(value, path).toBeLessThan(loadProfile('sm8750').provenance[path].value);
    }
  });
});

describe('numbers of a profile', () => {
  it('have a definition each', () => {
    for (const path of Object.keys(loadProfile('sm8750').provenance))
      expect(PROFILE_DEFINITIONS[path].length, path).toBeGreaterThan(10);
  });

  it('of DMA are measured under the condition of their definition, or have a range', () => {
    for (const name of profileNames().filter((shipped) => !shipped.endsWith('-fitted'))) {
      for (const [path, { range, kind }] of Object.entries(loadProfile(name).provenance)) {
        if (!/dma.*Rate|directReadRate/.test(path)) continue;
        expect(kind === 'measured' || range !== undefined, `${path} of ${name}`).toBe(true);
      }
    }
  });
});

describe('a profile that extends another', () => {
  it('calls what it takes over an assumption with a range and the first source', () => {
    const { provenance } = loadProfile('sm8735');
    const measured = loadProfile('sm8550').provenance['npu.exponentialShareOfAttention'];
    expect(measured.kind).toBe('measured');
    expect(provenance['npu.exponentialShareOfAttention']).toMatchObject({
      kind: 'assumed',
      source: `carried over from sm8550 (${measured.source})`,
    });
    expect(provenance['driver.queueBatch'].range?.[1]).toBeCloseTo(0.035, 9);
    expect(provenance['dram.peakRate']).toMatchObject({ value: 76.8, kind: 'vendor' });
  });

  it('is known by the content of all files it is made of', () => {
    const path = join(temporaryDirectory(), 'mine.json');
    const file = (base: string) =>
      JSON.stringify({
        schema: 'dllm-npu/hardware-profile@1',
        extends: base,
        name: 'mine',
        soc: 'mine',
        npuArch: 'v79',
        description: 'mine',
        npu: { dmaRate: { value: '30 GB/s', kind: 'measured', source: 'my bench' } },
      });
    writeFileSync(path, file('sm8750'));
    const { npu, dram } = loadProfile(path);
    expect([npu.dmaRate, dram.peakRate]).toEqual([30, 84.8]);
    const hash = profileHash(path);
    writeFileSync(path, file('sm8850'));
    expect(profileHash(path)).not.toBe(hash);
    writeFileSync(path, file('sm9999'));
    expect(() => loadProfile(path)).toThrow(/unknown profile "sm9999"/);
    writeFileSync(path, file(path));
    expect(() => loadProfile(path)).toThrow(/circle/);
  });
});
