import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Diagnosis, diagnose, phoneAbilities } from '../../hw/doctor/doctor.js';
import { OrtHost } from '../../hw/ort/host.js';
import { qnnConfiguration } from '../../hw/qnn/configuration.js';
import { KNOWN_SOCS, knownSoc } from '../../hw/runner/known-socs.js';
import { profileNames } from '../../sim/hardware/load-profile.js';
import { checkCommand } from '../support/check-command.js';
import { cli } from '../support/run-cli.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { AdbServer, HAS_ADB } from './adb/adb-server.js';
import { LoopbackDevice } from './adb/loopback-device.js';
import { type Pretence, pretend } from './adb/pretend.js';

const NO_ADB = '/nonexistent/adb';
/** No adb, nothing fetched, nothing set. */
const bare = () => ({ env: { DLLM_NPU_CACHE: temporaryDirectory() } });

const PLUGIN =
  process.platform === 'win32' ? 'onnxruntime_providers_qnn.dll' : 'libonnxruntime_providers_qnn.so';

describe('device doctor without a phone', () => {
  it('tells a newcomer without anything what can be run, what is missing and what to do', async () => {
    const { code, stdout } = await cli(['device', 'doctor', '--adb', NO_ADB], bare());
    expect(code).toBe(0);
    expect(stdout).toMatch(/QNN libraries +missing +none fetched, QNN_EP_DIR is not set/);
    expect(stdout).toMatch(/adb +missing +it is not installed/);
    expect(stdout).toMatch(/Can be run now[\s\S]*ort-cpu\)\n +dllm-npu device compare\n/);
    expect(stdout).toMatch(/Not yet[\s\S]*\(npu-device\) needs a phone behind adb/);
    expect(stdout).toMatch(/What to do next[\s\S]*dllm-npu device fetch[\s\S]*Android platform tools/);
    expect(stdout).toMatch(/Only npu-device gives device times/);
  });

  it('exits with 3 when a class that is required cannot be had, and with 0 when it can', async () => {
    const asked = (name: string) => cli(['device', 'doctor', '--adb', NO_ADB, '--require', name], bare());
    expect(await asked('npu-device')).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^error: npu-device cannot be had here: .*phone behind adb\n$/),
    });
    expect((await asked('ort-cpu')).code).toBe(0);
    expect((await asked('npu')).code).toBe(2);
  });

  it('names a folder without the plugin as a problem', async () => {
    const directory = temporaryDirectory();
    const { findings, can } = await diagnose({
      env: { QNN_EP_DIR: directory },
      cache: directory,
      adb: NO_ADB,
    });
    expect(findings.find(({ what }) => what.startsWith('QNN libraries'))).toMatchObject({
      state: 'problem',
      says: expect.stringMatching(/has no onnxruntime_providers_qnn/),
    });
    expect(can).not.toContain('npu-device');
  });

  it('gives commands that exist', async () => {
    const { abilities } = await diagnose({ env: {}, cache: temporaryDirectory(), adb: NO_ADB });
    expect(abilities.length).toBeGreaterThan(3);
    for (const { command } of abilities) expect(checkCommand(command), command).toBeNull();
  });

  it('promises no device for libraries of an arm64 package alone', async () => {
    const directory = temporaryDirectory();
    for (const name of [PLUGIN, 'libQnnHtp.so', 'libQnnHtpV79Skel.so'])
      writeFileSync(join(directory, name), '');
    const { findings, can } = await diagnose({
      env: { QNN_EP_DIR: directory },
      cache: directory,
      adb: NO_ADB,
    });
    expect(findings.map(({ says }) => says).join()).toMatch(/DSP libraries for v79/);
    expect(can).not.toContain('npu-device');
  });
});

describe('device doctor with lists that adb prints', () => {
  /** An adb that knows its version and its list; origin: synthetic. */
  const doctor = async (list: string) => {
    const adb = join(temporaryDirectory(), 'adb');
    const answers = `version) printf '1.0.41\\n';; devices) printf '${list}';;`;
    writeFileSync(adb, `#!/bin/sh\ncase "$1" in ${answers} esac\n`, { mode: 0o755 });
    const { findings } = await diagnose({ env: {}, cache: temporaryDirectory(), adb });
    return findings.filter(({ what }) => what.startsWith('phone'));
  };

  it.skipIf(process.platform === 'win32')('names every phone, and every line it cannot read', async () => {
    const list =
      'List of devices attached\\r\\nadb-R5CX (2)._tcp\\tdevice model:y\\r\\nR58M\\tasleep\\r\\n\\r\\n';
    expect((await doctor(list)).map(({ what, says }) => [what, says])).toEqual([
      ['phone', 'adb lists "R58M\tasleep", which is not understood'],
      ['phone adb-R5CX (2)._tcp', expect.stringMatching(/no shell protocol 2/)],
    ]);
  });
});

describe('what a phone can run', () => {
  const target = {
    arch: 'arm64' as const,
    machine: 'aarch64',
    socId: '618',
    socModel: 'SM8750',
    htpArch: 'v79',
    os: 'Android 15',
  };
  const phone = { serial: 'A', target, soc: knownSoc('SM8750'), libraries: ['/vendor/lib64/libcdsprpc.so'] };

  it('is llama.cpp with an NPU that has code, and QNN with an SDK for it as well', () => {
    const missing = (archs: readonly string[]) =>
      phoneAbilities(phone, { sdk: { root: '/sdk', netRun: true, archs } }).map((ability) => ability.missing);
    expect(missing(['v75', 'v79'])).toEqual([[], []]);
    expect(missing(['v75'])).toEqual([[], ['DSP libraries for v79 in the QNN SDK']]);
    const emulator = { ...phone, target: { ...target, arch: 'x64' as const } };
    expect(phoneAbilities(emulator, { sdk: null }).every((ability) => ability.missing.length > 0)).toBe(true);
  });

  it('is said as commands that exist', () => {
    for (const { command } of phoneAbilities(phone, { sdk: null }))
      expect(checkCommand(command), command).toBeNull();
  });
});

describe('the list of SoCs', () => {
  it('finds a SoC by name with its revision, and by the number of the kernel', () => {
    expect(knownSoc('SM8750-AB')).toMatchObject({ htpArch: 'v79', qnnModel: 69 });
    expect(knownSoc(null, '660')).toMatchObject({ models: ['SM8850'], htpArch: 'v81', qnnModel: 87 });
    // 87 is SM8850 for QNN, and nobody's soc_id.
    expect(knownSoc(null, '87')).toBeNull();
    expect(knownSoc('', null)).toBeNull();
    expect(knownSoc('MT6989', null)).toBeNull();
  });

  it('names only profiles that exist, and no number twice', () => {
    for (const { profile } of KNOWN_SOCS) if (profile !== null) expect(profileNames()).toContain(profile);
    const ids = KNOWN_SOCS.flatMap(({ socIds }) => socIds);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe.skipIf(!HAS_ADB)('device doctor with phones behind the real adb server', () => {
  let server: AdbServer;
  const devices: LoopbackDevice[] = [];
  beforeAll(async () => {
    server = await AdbServer.start();
  });
  afterAll(async () => {
    await server.stop();
    for (const device of devices) await device.stop();
  });

  const phone = async (pretence: Pretence | null): Promise<LoopbackDevice> => {
    const device = await LoopbackDevice.start(
      pretence === null ? { mode: 'unauthorized' } : { env: pretend(temporaryDirectory(), pretence) },
    );
    devices.push(device);
    await server.connect(device);
    return device;
  };

  const of = ({ findings }: Diagnosis, device: LoopbackDevice) =>
    findings.filter(({ what }) => what.endsWith(device.serial));

  it('says of each what it is, what it can run and what keeps it from it', { timeout: 120_000 }, async () => {
    const good = await phone({ machine: 'aarch64', socModel: 'SM8750', socId: '618', freeKilobytes: 2e6 });
    const old = await phone({ machine: 'aarch64', socModel: 'SM8475', socId: '530' });
    const other = await phone({ machine: 'aarch64', socModel: 'MT6989' });
    const locked = await phone(null);
    const sdk = temporaryDirectory();
    for (const folder of ['bin/aarch64-android', 'lib/hexagon-v75'])
      mkdirSync(join(sdk, folder), { recursive: true });
    writeFileSync(join(sdk, 'bin/aarch64-android/qnn-net-run'), '');
    const cache = temporaryDirectory();
    const diagnosis = await diagnose({ env: { ...server.env, QAIRT_ROOT: sdk }, cache });

    expect(of(diagnosis, good).map(({ says }) => says)).toEqual([
      expect.stringMatching(/aarch64, 2\.0 GB free/),
      expect.stringMatching(/Snapdragon 8 Elite \(SM8750, soc_id 618\): HTP v79, soc_model 69/),
      // This machine has no /vendor, so the phone that it plays has none.
      expect.stringMatching(/no \/vendor\/lib64\/libcdsprpc\.so/),
    ]);
    expect(of(diagnosis, other)).toContainEqual(
      expect.objectContaining({ state: 'problem', says: expect.stringMatching(/MT6989 is not in the list/) }),
    );
    expect(of(diagnosis, locked)).toEqual([
      expect.objectContaining({
        state: 'problem',
        next: 'Unlock the phone and confirm the debugging dialog',
      }),
    ]);
    const needs = (device: LoopbackDevice, by: string) =>
      diagnosis.abilities.find(({ what }) => what === `NPU of phone ${device.serial}, by ${by}`)?.missing;
    expect(needs(good, 'llama.cpp')).toEqual(['/vendor/lib64/libcdsprpc.so on the phone']);
    expect(needs(good, 'QNN')).toContain('DSP libraries for v79 in the QNN SDK');
    expect(needs(old, 'llama.cpp')).toContain('an HTP of v73 or later (it has v69)');
    expect(needs(other, 'llama.cpp')).toContain('a known Snapdragon');
    expect(diagnosis.can).not.toContain('npu-device');

    const { code, stdout } = await cli(['device', 'doctor'], {
      env: { ...server.env, DLLM_NPU_CACHE: cache },
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`phone ${locked.serial} +problem +${locked.serial} is unauthorized`));
  });
});

describe('what is refused', () => {
  it('is a missing backend, named with what the folder has', () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, PLUGIN), '');
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
