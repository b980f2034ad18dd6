import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  loadProfile,
  overrideProfile,
  parseProfile,
  profileNames,
} from '../../../sim/hardware/load-profile.js';
import { DataError, UsageError } from '../../../src/errors.js';
import { project } from '../../../src/util/project-root.js';

const text = readFileSync(`${project().root}/sim/hardware/profiles/sm8750.json`, 'utf8');

/** The shipped file with one text replaced. */
function broken(from: string, to: string): () => unknown {
  if (!text.includes(from)) throw new Error(`${from} is not in the profile`);
  return () => parseProfile(text.replace(from, to), 'test.json');
}

describe('profiles', () => {
  it('all load, every number with a source, every assumption with a range', () => {
    for (const name of profileNames()) {
      const profile = loadProfile(name);
      expect(profile.name).toBe(name);
      for (const [path, { source, kind, range, value }] of Object.entries(profile.provenance)) {
        expect(source.length, path).toBeGreaterThan(3);
        if (!name.endsWith('-fitted')) expect(kind, path).not.toBe('fitted');
        if (kind === 'assumed') expect(range, path).toBeDefined();
        expect(value, path).toBeGreaterThanOrEqual(0);
      }
    }
  });

  it('converts to base units', () => {
    const { npu, driver, window } = loadProfile('sm8750');
    expect(npu.tcm).toBe(8 * 1024 * 1024);
    expect(npu.dmaRate).toBe(32);
    expect(driver.remoteCall).toBeCloseTo(0.0879, 12);
    expect(driver.cacheMaintenance).toBeCloseTo(0.0475, 12);
    expect(window.bytes).toBe(3_355_443_200);
  });

  it.each([
    ['a missing unit', '"8 MiB"', '"8"', /npu\.tcm: "8" has no unit/],
    ['a wrong dimension', '"32 GB/s"', '"32 GB"', /npu\.dmaRate: "32 GB" has the wrong dimension/],
    [
      'a unit on a count',
      '{ "value": "6", "kind": "measured"',
      '{ "value": "6 us", "kind": "measured"',
      /plain number/,
    ],
    ['a negative rate', '"77.2 GB/s"', '"-77.2 GB/s"', /dram\.achievableRate: "-77.2 GB\/s" is negative/],
    [
      'an unknown kind',
      '"kind": "vendor", "source": "ExecuTorch',
      '"kind": "guess", "source": "ExecuTorch',
      /npu\.tcm\.kind/,
    ],
    ['an unknown key', '"npuArch"', '"colour": "red", "npuArch"', /colour/],
    ['no unit known to man', '"160 us"', '"160 quux"', /driver\.mapFixed: "160 quux" is not a quantity/],
    [
      'a value outside its range',
      '"range": ["20 us", "300 us"]',
      '"range": ["200 us", "300 us"]',
      /outside its range/,
    ],
    [
      'more than memory can give',
      '"84.8 GB/s"',
      '"70 GB/s"',
      /achievableRate: "77.2 GB\/s" is more than dram\.peakRate/,
    ],
    [
      'more beside the matrix unit than alone',
      '"12 GB/s"',
      '"40 GB/s"',
      /"40 GB\/s" is more than npu\.dmaRate/,
    ],
  ])('refuses %s by name', (_what, from, to, message) => {
    expect(broken(from, to)).toThrow(DataError);
    expect(broken(from, to)).toThrow(message);
  });

  it('refuses text that is not JSON', () => {
    expect(() => parseProfile('{', 'x.json')).toThrow(/x\.json: not JSON/);
  });

  it('names close profiles', () => {
    expect(() => loadProfile('sm8751')).toThrow(UsageError);
    expect(() => loadProfile('sm8751')).toThrow(/did you mean sm8750/);
    expect(() => loadProfile('./nowhere.json')).toThrow(/there is no such file/);
  });
});

describe('overrideProfile', () => {
  it('replaces a number and says so in its provenance', () => {
    const changed = overrideProfile(loadProfile('sm8750'), { 'npu.dmaRate': '60 GB/s' });
    expect(changed.npu.dmaRate).toBe(60);
    expect(changed.provenance['npu.dmaRate']).toMatchObject({ kind: 'assumed', source: 'override' });
    expect(loadProfile('sm8750').npu.dmaRate).toBe(32);
  });

  it('refuses unknown numbers and wrong units', () => {
    const profile = loadProfile('sm8750');
    expect(() => overrideProfile(profile, { 'npu.dmaRat': '1 GB/s' })).toThrow(/did you mean npu.dmaRate/);
    expect(() => overrideProfile(profile, { 'npu.dmaRate': '1 us' })).toThrow(
      /npu\.dmaRate: "1 us" has the wrong/,
    );
  });
});
