import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deviceRecord, readDeviceRecord, writeDeviceRecord } from '../../hw/record/device-record.js';
import type { Evidence } from '../../hw/record/evidence.js';
import { archOf, backendOf, classify, whyTimesDoNotCount } from '../../hw/record/execution-class.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const DEVICE: Evidence = {
  targetArch: 'arm64',
  backend: 'htp',
  backendFile: '/x/libQnnHtp.so',
  fallbackDisabled: true,
  created: true,
  foreignNodes: 0,
  socId: '69',
  acceleratorCycles: 1000,
};

const LACKING: readonly Partial<Evidence>[] = [
  { targetArch: 'x64' },
  { backend: 'cpu' },
  { backendFile: null },
  { fallbackDisabled: false },
  { created: false },
  { foreignNodes: 3 },
  { socId: null },
  { acceleratorCycles: 0 },
  { acceleratorCycles: null },
  { emulator: 'qemu' },
];

describe('execution class', () => {
  it('is npu-device only with all of the evidence', () => {
    expect(classify(DEVICE)).toEqual({ executionClass: 'npu-device', missing: [] });
    fc.assert(
      fc.property(fc.subarray([...LACKING], { minLength: 1 }), (parts) => {
        const found = classify(Object.assign({}, DEVICE, ...parts) as Evidence);
        expect(found.executionClass).not.toBe('npu-device');
        expect(found.missing.length).toBeGreaterThan(0);
      }),
    );
  });

  it('keeps emulation and reference code what they are, whatever they report', () => {
    expect(classify({ ...DEVICE, targetArch: 'x64' }).executionClass).toBe('htp-emulator-x86');
    expect(classify({ ...DEVICE, backend: 'cpu' }).executionClass).toBe('qnn-cpu-ref');
    expect(classify({ ...DEVICE, targetArch: 'x64', foreignNodes: 1 }).executionClass).toBe('ort-cpu');
    const allowed: Evidence = { ...DEVICE, backend: 'cpu', fallbackDisabled: false };
    expect(classify(allowed).executionClass).toBe('qnn-cpu-ref');
    expect(classify({ ...allowed, foreignNodes: null }).executionClass).toBe('ort-cpu');
    expect(classify({ ...DEVICE, emulator: 'qemu-hexagon' }).executionClass).toBe('isa-emulated');
  });

  it('calls ggml in this process what it is, also on a phone with an NPU', () => {
    const ggml = { device: 'htp0', type: 'accelerator', operators: 90, onCpu: { ROPE: 2 } } as const;
    const seen: Evidence = { ...DEVICE, backendFile: null, acceleratorCycles: null, foreignNodes: 2, ggml };
    expect(classify(seen)).toMatchObject({ executionClass: 'ggml-device' });
    expect(classify({ ...seen, created: false }).executionClass).toBe('ggml-cpu');
    expect(classify({ ...seen, ggml: { ...ggml, device: 'cpu', type: 'cpu' } }).executionClass).toBe(
      'ggml-cpu',
    );
    expect(whyTimesDoNotCount('ggml-device')).toMatch(/wall-clock/);
  });

  it('says why times do not count', () => {
    expect(whyTimesDoNotCount('npu-device')).toBeNull();
    expect(whyTimesDoNotCount('recorded:npu-device')).toBeNull();
    expect(whyTimesDoNotCount('htp-emulator-x86')).toMatch(/no device times.*emulation/);
  });

  it('knows libraries and architectures by name', () => {
    expect(backendOf('C:\\q\\QnnHtp.dll')).toBe('htp');
    expect(backendOf('/q/libQnnCpu.so')).toBe('cpu');
    expect(backendOf('/q/libQnnHtpPrepare.so')).toBe('other');
    expect([archOf('aarch64'), archOf('x86_64'), archOf('riscv64')]).toEqual(['arm64', 'x64', 'other']);
  });
});

describe('run record', () => {
  const record = deviceRecord(
    { ...DEVICE, targetArch: 'x64' },
    {
      tool: { name: 'test', version: null },
      files: [],
      options: {},
      runs: [],
      failure: null,
      target: { soc: null, htpArch: null, os: null },
      model: { name: 'm', numerics: 'f16' },
      startedAt: '2026-01-01T00:00:00Z',
    },
  );

  it('survives a file and states what was missing', async () => {
    const path = join(temporaryDirectory(), 'record.json');
    writeDeviceRecord(path, record);
    expect(await readDeviceRecord(path)).toEqual(record);
    expect(record.missing).toEqual(['an arm64 target']);
  });

  it('refuses a file that claims more than its evidence', async () => {
    const path = join(temporaryDirectory(), 'record.json');
    writeFileSync(path, JSON.stringify({ ...record, executionClass: 'npu-device' }));
    expect(() => readDeviceRecord(path)).toThrow(/evidence supports htp-emulator-x86 only/);
  });
});
