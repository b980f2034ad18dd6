import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDeviceRecord } from '../../../hw/record/device-record.js';
import { cli } from '../../support/run-cli.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { AdbServer, HAS_ADB } from '../adb/adb-server.js';
import { LoopbackDevice } from '../adb/loopback-device.js';
import { type Pretence, pretend } from '../adb/pretend.js';
import { STAND_IN_BUILD, standInSdk } from './stand-in-sdk.js';

const HAS_ORT = await import('onnxruntime-node').then(
  () => true,
  () => false,
);
if (!HAS_ORT) console.warn('onnxruntime-node is not installed: the replay tests are skipped');

// Longer than 20 s on a busy machine: every pass of a decode through a tool, once by each way to run it.

/** The tools are stand-ins; what they compute is real: the step graph in ONNX Runtime, against tfjs. */
describe.skipIf(!HAS_ORT)('replay of a recorded decode', () => {
  let root: string;
  let trace: string;
  let graphs: string;
  let env: Record<string, string>;
  const phonePlace = () => join(root, 'phone');

  beforeAll(async () => {
    root = temporaryDirectory();
    trace = join(root, 't.jsonl');
    graphs = join(root, 'graphs');
    env = { QAIRT_ROOT: standInSdk(join(root, 'sdk')) };
    const decoded = [
      'generate',
      '--problem',
      '0',
      '--policy',
      'block-kv',
      '--gen-length',
      '8',
      '--block-length',
      '8',
      '--trace',
      trace,
    ];
    expect((await cli(decoded)).code).toBe(0);
    const written = await cli(['device', 'qnn', 'graphs', trace, '--out', graphs, '--json']);
    expect(written.code).toBe(0);
    const { files, buckets } = JSON.parse(written.stdout) as {
      files: string[];
      buckets: { passes: number }[];
    };
    expect(buckets.reduce((sum, { passes }) => sum + passes, 0)).toBeGreaterThan(5);
    // What the converter of the SDK would make: here a file that names the graph.
    for (const path of files) writeFileSync(path.replace(/onnx$/, 'dlc'), `${path}\n`);
  });

  const replay = (extra: readonly string[], more: Readonly<Record<string, string>> = {}, folder = graphs) =>
    cli(['device', 'qnn', 'replay', trace, '--graphs', folder, ...extra], { env: { ...env, ...more } });
  const local = (...extra: string[]) => replay(['--runner', 'local', '--backend', 'cpu', ...extra]);

  it("runs DLC files: every best token is the reference's, the class that of the backend", async () => {
    const recordPath = join(root, 'record.json');
    const { code, stdout, stderr } = await local('--record', recordPath);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [, same, rows, , error] =
      /(\d+) of (\d+) best tokens .*\((\d+) near-ties\), largest logit error (\S+)/.exec(stdout) ?? [];
    expect(same).toBe(rows);
    expect(Number(rows)).toBeGreaterThan(50);
    expect(Number(error)).toBeLessThan(1e-3);
    expect(stdout).toMatch(/class qnn-cpu-ref; for npu-device it lacks an arm64 target/);
    const record = await readDeviceRecord(recordPath);
    expect(record.tool).toEqual({ name: 'qnn-net-run', version: STAND_IN_BUILD });
    expect(record.runs[0]?.bucket?.rows).toBeGreaterThan(0);
  });

  it('runs context binaries, with the types that the SDK says they have', async () => {
    const compiled = join(root, 'compiled');
    mkdirSync(compiled);
    for (const file of readdirSync(graphs).filter((name) => name.endsWith('.dlc'))) {
      copyFileSync(join(graphs, file), join(compiled, file));
    }
    const made = await cli(['device', 'qnn', 'compile', compiled], { env });
    expect(made).toMatchObject({ code: 0, stderr: '' });
    for (const file of readdirSync(compiled).filter((name) => name.endsWith('.dlc')))
      rmSync(join(compiled, file));
    const { code, stdout } = await replay(['--runner', 'local', '--json'], {}, compiled);
    expect(code).toBe(0);
    const data = JSON.parse(stdout) as {
      agreement: { rows: number; sameBest: number };
      record: { executionClass: string };
    };
    expect(data.agreement.sameBest).toBe(data.agreement.rows);
    // The emulation of the NPU is never the NPU, whatever cycles it reports.
    expect(data.record.executionClass).toBe('htp-emulator-x86');
  });

  it('holds for drafts, refreshes and rows that do not see each other', async () => {
    const [path, folder] = [join(root, 'llada.jsonl'), join(root, 'llada')];
    const decoded = [
      'generate',
      '--problem',
      '1',
      '--policy',
      'llada.cpp',
      '--gen-length',
      '32',
      '--trace',
      path,
    ];
    expect((await cli(decoded)).code).toBe(0);
    expect((await cli(['device', 'qnn', 'graphs', path, '--out', folder])).code).toBe(0);
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.onnx'))) {
      writeFileSync(join(folder, name.replace(/onnx$/, 'dlc')), join(folder, name));
    }
    const argv = ['device', 'qnn', 'replay', path, '--graphs', folder, '--runner', 'local', '--json'];
    const { code, stdout } = await cli(argv, { env });
    expect(code).toBe(0);
    const { agreement } = JSON.parse(stdout) as {
      agreement: { rows: number; sameBest: number; maxLogitError: number };
    };
    expect(agreement.sameBest).toBe(agreement.rows);
    expect(agreement.maxLogitError).toBeLessThan(1e-3);
  });

  it('tells wrong logits, with exit code 1', async () => {
    process.env.STAND_IN_FAULT = 'wrong';
    const { code, stderr } = await local().finally(() => delete process.env.STAND_IN_FAULT);
    expect(code).toBe(1);
    expect(stderr).toMatch(/best tokens differ that were no near-ties/);
  });

  describe('refuses in one line, with exit code 3:', () => {
    const refused = async (run: ReturnType<typeof cli>, message: RegExp) => {
      const { code, stderr } = await run;
      expect(stderr).toMatch(message);
      expect(stderr.trim().split('\n')).toHaveLength(1);
      expect(code).toBe(3);
    };
    const withFault = (fault: string, extra: readonly string[] = []) => {
      process.env.STAND_IN_FAULT = fault;
      return local(...extra).finally(() => delete process.env.STAND_IN_FAULT);
    };

    it('no SDK', async () => {
      await refused(
        cli(['device', 'qnn', 'replay', trace, '--graphs', graphs, '--runner', 'local']),
        /QAIRT_ROOT is not set\. Get the Qualcomm AI Engine Direct SDK/,
      );
      await refused(replay(['--runner', 'local'], { QAIRT_ROOT: root }), /has no bin\/ and lib\//);
    });

    it('an SDK without the tool', async () => {
      const sdk = standInSdk(join(root, 'sdk-without'));
      rmSync(join(sdk, 'bin', 'x86_64-linux-clang', 'qnn-net-run'));
      await refused(
        replay(['--runner', 'local'], { QAIRT_ROOT: sdk }),
        /bin.x86_64-linux-clang.qnn-net-run is not in /,
      );
    });

    it('no graph for a bucket', () =>
      refused(
        replay(['--runner', 'local'], {}, root),
        /has neither r\d+-c\d+\.bin nor .*\.dlc\. Write the step graphs with/,
      ));

    it('a flag that this SDK does not know', () =>
      refused(local('--perf', 'burst'), /qnn-net-run of this SDK does not know --perf_profile\. Use QAIRT/));

    it('a graph that the tool refuses', () =>
      refused(
        withFault('refuse'),
        /qnn-net-run ended with code 14 \(\[ ERROR \] Failed to create context.*0x138d\)/,
      ));

    it('a tool that crashes', () => refused(withFault('crash'), /qnn-net-run was ended by SIGSEGV/));

    it('a context that is newer than the libraries', async () => {
      const compiled = join(root, 'compiled-new');
      mkdirSync(compiled);
      for (const file of readdirSync(graphs).filter((name) => name.endsWith('.dlc'))) {
        copyFileSync(join(graphs, file), join(compiled, file.replace('dlc', 'bin')));
      }
      process.env.STAND_IN_BUILD = 'v2.52.0.261030000000';
      const run = replay(['--runner', 'local'], {}, compiled).finally(
        () => delete process.env.STAND_IN_BUILD,
      );
      await refused(run, /was made by QNN v2\.52\.0\.261030000000, the libraries are v2\.51\.0/);
    });

    it('a graph that does not compile, and a folder without any', async () => {
      const folder = join(root, 'rejected');
      mkdirSync(folder);
      await refused(
        cli(['device', 'qnn', 'compile', folder], { env }),
        /has no \.dlc file of a bucket\. Convert the ONNX/,
      );
      writeFileSync(join(folder, 'r32-c64.dlc'), 'reject');
      await refused(
        cli(['device', 'qnn', 'compile', folder], { env }),
        /r32-c64\.dlc: \[ ERROR \] QNN_GRAPH_ERROR.*rejects the graph/,
      );
    });
  });

  it('of a trace of another model is refused with exit code 2', async () => {
    const other = join(root, 'other.jsonl');
    writeFileSync(other, readFileSync(trace, 'utf8').replace(/"hash":"[0-9a-f]{4}/, '"hash":"0000'));
    const { code, stderr } = await cli(
      ['device', 'qnn', 'replay', other, '--graphs', graphs, '--runner', 'local'],
      { env },
    );
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/recorded with other weights/),
    });
  });

  describe.skipIf(!HAS_ADB)('on a phone behind the real adb server', () => {
    let server: AdbServer;
    beforeAll(async () => {
      server = await AdbServer.start();
    });
    afterAll(() => server.stop());

    async function withPhone<T>(pretence: Pretence, use: () => Promise<T>): Promise<T> {
      const device = await LoopbackDevice.start({ env: pretend(join(temporaryDirectory(), 'p'), pretence) });
      await server.connect(device);
      try {
        return await use();
      } finally {
        await server.adb('disconnect', device.serial).catch(() => {});
        await device.stop();
      }
    }
    const onPhone = () => replay(['--device-directory', phonePlace(), '--json'], server.env);

    it('gives agreement, cycles per pass and class npu-device, and leaves nothing there', async () => {
      const phone = { machine: 'aarch64', socModel: 'SM8750', socId: '618' };
      const { code, stdout, stderr } = await withPhone(phone, onPhone);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const data = JSON.parse(stdout) as {
        agreement: { rows: number; sameBest: number };
        buckets: { passes: { profile: { acceleratorCycles: number; nodes: unknown[] } }[] }[];
        record: { executionClass: string; files: { name: string }[]; target: unknown };
      };
      expect(data.agreement.sameBest).toBe(data.agreement.rows);
      // The k-th execution of the profile lies beside the k-th pass.
      for (const { passes } of data.buckets) {
        expect(passes.map(({ profile }) => profile.acceleratorCycles)).toEqual(
          passes.map((_, k) => 100_000 + k),
        );
        expect(passes[0]?.profile.nodes).toEqual([{ node: 'blk.0.attn_q', cycles: 60_000, us: null }]);
      }
      expect(data.record.executionClass).toBe('npu-device');
      expect(data.record.target).toMatchObject({ soc: 'SM8750', htpArch: 'v79' });
      expect(data.record.files.map(({ name }) => name)).toContain('libQnnHtpV79Skel.so');
      expect(existsSync(phonePlace())).toBe(false);
    });

    it('is refused without the library for its NPU, and on a PC', async () => {
      const other = await withPhone({ machine: 'aarch64', socModel: 'SM8650' }, onPhone);
      expect(other).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/SM8650 has an NPU v75, and libQnnHtpV75Skel\.so is not there/),
      });
      const pc = await withPhone({ machine: 'x86_64' }, onPhone);
      expect(pc).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(/is x86_64, and qnn-net-run on the NPU needs an arm64/),
      });
      expect(existsSync(phonePlace())).toBe(false);
    });
  });
});
