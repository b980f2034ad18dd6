import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readDeviceRecord } from '../../../hw/record/device-record.js';
import { cli } from '../../support/run-cli.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { AdbServer, HAS_ADB } from '../adb/adb-server.js';
import { LoopbackDevice } from '../adb/loopback-device.js';
import { type Pretence, pretend } from '../adb/pretend.js';
import { goldenTexts } from '../golden-logs.js';

const logs = goldenTexts('ggml/logs.json');
const PHONE: Pretence = { machine: 'aarch64', socModel: 'SM8750', socId: '618' };

/** A folder as `cmake --install` makes it, whose tools are scripts that say what the real ones would. */
function fakePackage(directory: string, script: string): string {
  mkdirSync(join(directory, 'bin'), { recursive: true });
  mkdirSync(join(directory, 'lib'), { recursive: true });
  for (const name of ['llama-diffusion-cli', 'llama-bench']) {
    writeFileSync(join(directory, 'bin', name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(directory, 'bin', name), 0o755);
  }
  for (const name of ['libggml.so', 'libggml-hexagon.so', 'libggml-htp-v79.so']) {
    writeFileSync(join(directory, 'lib', name), name);
  }
  return directory;
}

// Longer than 20 s on a busy machine: twenty command lines through the real adb server, each to a phone that connects anew.
describe.skipIf(!HAS_ADB)('device ggml, over the real adb server', () => {
  let server: AdbServer;
  const devices: LoopbackDevice[] = [];
  let local: string;
  let place: string;
  let model: string;

  beforeAll(async () => {
    server = await AdbServer.start();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    local = temporaryDirectory();
    place = join(temporaryDirectory(), 'phone');
    model = join(local, "it's a model.gguf");
    writeFileSync(model, 'x'.repeat(300_000));
    return async () => {
      for (const device of devices.splice(0)) {
        await server.adb('disconnect', device.serial).catch(() => {});
        await device.stop();
      }
    };
  });

  async function phone(pretence: Pretence, mode?: 'unauthorized' | 'mute'): Promise<LoopbackDevice> {
    const env = pretend(join(temporaryDirectory(), 'pretended'), pretence);
    const device = await LoopbackDevice.start({ env, mode });
    devices.push(device);
    await server.connect(device);
    return device;
  }

  const says = (text: string) => `printf '%s' '${text.replaceAll("'", "'\\''")}'`;
  const generate = (script: string, extra: readonly string[] = [], signal?: AbortSignal) =>
    cli(
      [
        'device',
        'ggml',
        'generate',
        '--package',
        fakePackage(join(local, 'pkg'), script),
        '--model',
        model,
        '--prompt',
        'Why\'s "that" $(id)?',
        '--block-length',
        '32',
        '--device-directory',
        place,
        ...extra,
      ],
      { env: server.env, signal },
    );

  it('runs a generation and gives text, time per step, operators and a record', async () => {
    await phone(PHONE);
    // The stand-in says what a real run says; its operators have the session and the cycles of one.
    const log = `${logs.session}${logs.pipes}${logs['diffusion-answer']}`;
    const script = `echo "$LD_LIBRARY_PATH $GGML_HEXAGON_PROFILE $GGML_HEXAGON_DEVICES" > "${local}/env"; printf '%s\\n' "$@" > "${local}/args"; ${says(log)} >&2`;
    const recordPath = join(local, 'record.json');
    const logPath = join(local, 'kept.log');
    const { code, stdout, stderr } = await generate(script, [
      '--record',
      recordPath,
      '--log',
      logPath,
      '--profile',
      '3',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Because of\nRayleigh scattering\.\n/);
    expect(stdout).toMatch(/200\.01 ms per step, of it sampling 12\.25 ms/);
    expect(stdout).toMatch(/MUL_MAT .*q4_0 x f32 -> f32/);
    expect(stdout).toMatch(/HMX_COMP 909000/);
    expect(stdout).toMatch(/class npu-device\n/);
    const args = readFileSync(join(local, 'args'), 'utf8').split('\n');
    expect(args).toContain('Why\'s "that" $(id)?');
    expect(args[1]).toMatch(/it's a model\.gguf$/);
    expect(readFileSync(join(local, 'env'), 'utf8')).toMatch(/phone\/run-[-0-9a-f]+\/lib 3 HTP0\n$/);
    expect(readFileSync(logPath, 'utf8')).toBe(log);
    const record = await readDeviceRecord(recordPath);
    expect(record).toMatchObject({
      executionClass: 'npu-device',
      target: { soc: 'SM8750', htpArch: 'v79' },
      evidence: { backendFile: 'libggml-htp-v79.so', perOperator: true, socId: '618' },
      runs: [{ acceleratorCycles: 84480 + 1081344 }],
    });
    expect(record.files.map(({ name }) => name)).toEqual([
      'llama-diffusion-cli',
      'libggml-hexagon.so',
      'libggml-htp-v79.so',
      'libggml.so',
      "it's a model.gguf",
    ]);
    // Nothing is left on the phone.
    expect(existsSync(place)).toBe(false);
  });

  it('without a profile gives no time of the NPU', async () => {
    await phone(PHONE);
    const script = `echo text; ${says(`${logs.session}${logs['diffusion-dream']}`)} >&2`;
    const { code, stdout } = await generate(script, ['--profile', '0']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/class ort-cpu; for npu-device it lacks .*accelerator cycles above 0/);
  });

  it('--keep leaves model and tools for the next run, which sends nothing', async () => {
    const device = await phone(PHONE);
    const script = `echo text; ${says(`${logs.session}${logs.pipes}${logs['diffusion-dream']}`)} >&2`;
    expect((await generate(script, ['--keep'])).code).toBe(0);
    expect(readdirSync(join(place, 'kept'))).toContain("it's a model.gguf");
    const before = device.received;
    const again = [
      'device',
      'ggml',
      'generate',
      '--package',
      join(local, 'pkg'),
      '--model',
      model,
      '--prompt',
      'a',
    ];
    const { code } = await cli([...again, '--eps', '0.001', '--device-directory', place, '--keep'], {
      env: server.env,
    });
    expect(code).toBe(0);
    expect(device.received - before).toBeLessThan(50_000);
    const clean = () => cli(['device', 'clean', '--device-directory', place], { env: server.env });
    expect(await clean()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^removed .*kept on adb:127/),
    });
    expect(existsSync(place)).toBe(false);
    expect((await clean()).stdout).toMatch(/^nothing was kept/);
  });

  it('gives the time of a pass per number of rows', async () => {
    await phone(PHONE);
    const row = {
      build_commit: 'abc',
      build_number: 1,
      model_type: 'llada 8B',
      model_size: 5e9,
      backends: 'HTP',
      n_prompt: 32,
      n_gen: 0,
      avg_ns: 2e8,
      stddev_ns: 1e6,
      samples_ns: [2e8],
    };
    const script = `${says(`[\n${JSON.stringify(row)}\n]\n`)}; ${says(`${logs.session}${logs.pipes}`)} >&2`;
    const pkg = fakePackage(join(local, 'pkg'), script);
    const argv = ['device', 'ggml', 'bench', '--package', pkg, '--model', model, '--rows', '32', '--json'];
    const { code, stdout } = await cli([...argv, '--device-directory', place], { env: server.env });
    expect(code).toBe(0);
    const data = JSON.parse(stdout) as { bench: { rows: unknown[] }; record: { executionClass: string } };
    expect(data.bench.rows).toEqual([{ rows: 32, depth: 0, meanMs: 200, deviationMs: 1, samplesMs: [200] }]);
    expect(data.record.executionClass).toBe('npu-device');
  });

  describe('refuses in one line, with exit code 3, and leaves nothing on the phone:', () => {
    const refused = async (run: ReturnType<typeof generate>, message: RegExp) => {
      const { code, stderr } = await run;
      expect(stderr).toMatch(message);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(code).toBe(3);
      expect(existsSync(place)).toBe(false);
    };

    it('no adb', () =>
      refused(
        generate('true', ['--adb', '/nonexistent/adb']),
        /adb cannot be started .*Install the Android platform tools/,
      ));

    it('no phone', () =>
      refused(generate('true'), /no phone is connected\. Connect a phone, switch on USB debugging/));

    it('two phones and no serial', async () => {
      const [a, b] = [await phone(PHONE), await phone(PHONE)];
      await refused(generate('true'), /2 phones are connected: .*\. Choose one with --serial/);
      expect((await generate('true')).stderr).toMatch(
        new RegExp(`${a?.serial}[^]*${b?.serial}|${b?.serial}[^]*${a?.serial}`),
      );
    });

    it('a serial that is not there', async () => {
      await phone(PHONE);
      await refused(generate('true', ['--serial', 'R58M']), /R58M is not connected; connected: 127/);
    });

    it('a phone that never confirmed', async () => {
      await phone(PHONE, 'unauthorized');
      await refused(generate('true'), /is unauthorized\. Unlock the phone and confirm/);
    });

    it('a phone that does not answer', async () => {
      await phone(PHONE, 'mute');
      await refused(generate('true'), /is offline\. Unplug it/);
    });

    it('a machine that is no arm64', async () => {
      await phone({ socModel: 'SM8750', machine: 'x86_64' });
      await refused(
        generate('true'),
        /is x86_64, and --device HTP0 needs an arm64 Snapdragon\. Choose a phone/,
      );
    });

    it('no library for its NPU', async () => {
      await phone({ ...PHONE, socModel: 'SM8850-AC' });
      await refused(
        generate('true'),
        /SM8850-AC has an NPU v81, and libggml-htp-v81\.so is not there \(there is libggml-htp-v79\.so\)/,
      );
    });

    it('a phone that has not enough space, before anything is sent', async () => {
      await phone({ ...PHONE, freeKilobytes: 100 });
      await refused(generate('true'), /0\.3 MB do not fit on .*, 0\.1 MB are free\. Free space on the phone/);
    });

    it('a phone that is full in the middle', async () => {
      await phone({ ...PHONE, freeKilobytes: 0, catFillsAfter: 200_000 });
      await refused(generate('true'), /could not be written on .*: .*No space left on device\. Free space/);
    });

    it('a DSP that refuses the session', async () => {
      await phone(PHONE);
      await refused(
        generate(`${says(logs['session-refused'] ?? '')} >&2; exit 1`),
        /ended with code 1 \(ggml-hex: failed to open session 0 : error 0x80000406\)\. The DSP cannot load libggml-htp/,
      );
    });

    it('a tool that crashes', async () => {
      await phone(PHONE);
      await refused(generate('kill -SEGV $$'), /ended with code 139/);
    });

    it('a run that takes too long, whose log is kept', async () => {
      await phone(PHONE);
      const log = join(local, 'slow.log');
      await refused(
        generate('echo loading >&2; exec sleep 100', ['--timeout', '1', '--log', log]),
        /llama-diffusion-cli did not end within 1 s and was killed/,
      );
      expect(readFileSync(log, 'utf8')).toBe('loading\n');
    });

    it('a phone that goes away while the tool runs, once it is back', async () => {
      const device = await phone(PHONE);
      const running = generate(`echo started > "${local}/started"; exec sleep 20`);
      while (!existsSync(join(local, 'started'))) await sleep(20);
      device.cut();
      await refused(
        running,
        /went away (while|before) llama-diffusion-cli (ran|was heard of)\. Check the cable/,
      );
    });

    it('a package without the tool, before a phone is even looked for', async () => {
      const argv = [
        'device',
        'ggml',
        'generate',
        '--package',
        local,
        '--model',
        model,
        '--prompt',
        'a',
        '--eps',
        '0.1',
      ];
      await refused(
        cli(argv, { env: server.env }),
        /llama-diffusion-cli does not exist\. Build llama\.cpp with its Snapdragon/,
      );
    });
  });

  it('ended by Ctrl-C leaves nothing on the phone', async () => {
    await phone(PHONE);
    const controller = new AbortController();
    const running = generate(`echo started > "${local}/started"; exec sleep 50`, [], controller.signal);
    while (!existsSync(join(local, 'started'))) await sleep(20);
    controller.abort();
    expect((await running).code).toBe(130);
    expect(existsSync(place)).toBe(false);
  });
});

describe('device ggml read', () => {
  it('tells dialect and operators of a log, and refuses one without a profile', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'trace.log');
    writeFileSync(path, `${logs.session}${logs.pipes}`);
    const { code, stdout } = await cli(['device', 'ggml', 'read', path]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/2 operators, dialect pipes/);
    expect(stdout).toMatch(/1 events without their other end/);
    writeFileSync(path, 'nothing');
    const none = await cli(['device', 'ggml', 'read', path]);
    expect(none).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/has no profile of the Hexagon backend/),
    });
    writeFileSync(path, 'ggml-hex: HTP0 profile-op NEW{}');
    expect((await cli(['device', 'ggml', 'read', path])).stderr).toMatch(/unknown dialect: "profile-op NEW/);
  });

  it('runs tools on this machine too', async () => {
    const local = temporaryDirectory();
    const pkg = fakePackage(
      join(local, 'pkg'),
      `echo "here $3 $4"; echo 'total time: 1.00ms, time per step: 1.00ms, sampling time per step: 0.10ms' >&2`,
    );
    writeFileSync(join(local, 'm.gguf'), 'x');
    const argv = [
      'device',
      'ggml',
      'generate',
      '--runner',
      'local',
      '--device',
      'none',
      '--profile',
      '0',
      '--package',
      pkg,
    ];
    const { code, stdout } = await cli([
      ...argv,
      '--model',
      join(local, 'm.gguf'),
      '--prompt',
      'a',
      '--eps',
      '0.1',
    ]);
    expect(stdout).toMatch(/^here -p a\n/);
    expect(code).toBe(0);
  });
});
