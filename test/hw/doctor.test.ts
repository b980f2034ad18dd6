import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../hw/doctor/doctor.js';
import { OrtHost } from '../../hw/ort/host.js';
import { qnnConfiguration } from '../../hw/qnn/configuration.js';
import { LocalRunner } from '../../hw/runner/local-runner.js';
import { cli } from '../cli/run-cli.js';
import { temporaryDirectory } from '../model/checkpoint.js';

describe('device doctor', () => {
  it('tells a newcomer without anything what to do, with exit code 0', async () => {
    const { code, stdout } = await cli(['device', 'doctor']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/QNN_EP_DIR is not set/);
    expect(stdout).toMatch(/What to do next/);
    expect(stdout).toMatch(/Only npu-device gives device times/);
  });

  it('names a folder without the plugin as a problem, and never promises a device for it', async () => {
    const directory = temporaryDirectory();
    const { findings, can } = await diagnose({ qnnDirectory: directory, runner: new LocalRunner() });
    expect(findings.find(({ what }) => what === 'QNN libraries')).toMatchObject({ state: 'problem' });
    expect(can).not.toContain('npu-device');
  });
});

describe('what is refused', () => {
  it('is a missing backend, named with what the folder has', () => {
    const directory = temporaryDirectory();
    const plugin =
      process.platform === 'win32' ? 'onnxruntime_providers_qnn.dll' : 'libonnxruntime_providers_qnn.so';
    writeFileSync(join(directory, plugin), '');
    const asked = () => qnnConfiguration({ directory, backend: 'cpu', halves: false });
    expect(asked).toThrow(/QnnCpu.*is not in.*it has .*onnxruntime_providers_qnn.*2\.3/);
  });

  it('is a plugin that is no library, as a reason with exit code 3', async () => {
    const path = join(temporaryDirectory(), 'plugin.so');
    writeFileSync(path, 'no library');
    const started = OrtHost.start({ plugin: { path, name: 'X' } });
    await expect(started).rejects.toMatchObject({ exitCode: 3, failure: { kind: 'refused', stage: 'load' } });
  });

  it('is a runtime that does not exist', async () => {
    const started = OrtHost.start({ library: '/nonexistent/libonnxruntime.so', plugin: null });
    await expect(started).rejects.toMatchObject({ exitCode: 3, failure: { stage: 'load' } });
  });
});
