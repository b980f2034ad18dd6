import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AdbRunner } from '../../../hw/runner/adb-runner.js';
import { withWorkDirectory } from '../../../hw/runner/command-runner.js';
import { workName } from '../../../hw/runner/work-name.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { AdbServer, HAS_ADB } from './adb-server.js';
import { LoopbackDevice } from './loopback-device.js';
import { pretend } from './pretend.js';

const MB = 1_000_000;
/** Command lines, and the most words of one; with `DLLM_FUZZ_RUNS` set over ten thousand words go through the server. */
const [LINES, WORDS] = process.env.DLLM_FUZZ_RUNS === undefined ? [12, 30] : [150, 200];

// Longer than 20 s on a busy machine: the real adb server is started, cut off and connected again.
describe.skipIf(!HAS_ADB)('adb runner, over the real adb server', () => {
  let server: AdbServer;
  let device: LoopbackDevice;
  let runner: AdbRunner;
  let place: string;
  let local: string;

  beforeAll(async () => {
    server = await AdbServer.start();
    device = await LoopbackDevice.start();
    await server.connect(device);
  });
  afterAll(async () => {
    await server.stop();
    await device.stop();
  });
  beforeEach(async () => {
    local = temporaryDirectory();
    place = join(temporaryDirectory(), "it's a phone; $(touch pwned)");
    runner = await AdbRunner.open({ serial: device.serial, env: server.env, directory: place });
  });
  afterEach(() => rmSync(place, { recursive: true, force: true }));

  const file = (name: string, bytes: number): string => {
    const path = join(local, name);
    writeFileSync(path, randomBytes(bytes));
    return path;
  };

  describe('commands', () => {
    it('give exit code and both streams apart', async () => {
      const argv = ['sh', '-c', 'echo out; echo err >&2; printf "no newline" >&2; exit 3'];
      expect(await runner.exec({ argv })).toEqual({
        exitCode: 3,
        stdout: 'out\n',
        stderr: 'err\nno newline',
      });
    });

    it('give 300 kB on both streams whole', async () => {
      const script = 'head -c 300000 /dev/zero | tr "\\0" o; head -c 300000 /dev/zero | tr "\\0" e >&2';
      const { stdout, stderr } = await runner.exec({ argv: ['sh', '-c', script] });
      expect([stdout.length, stderr.length]).toEqual([300_000, 300_000]);
    });

    it('run in a directory and with an environment, quoted too', async () => {
      mkdirSync(place, { recursive: true });
      const env = { LD_LIBRARY_PATH: "a b'c$(id)", EMPTY: '' };
      const argv = ['sh', '-c', 'pwd; echo "$LD_LIBRARY_PATH"; env | grep -x EMPTY='];
      const { stdout } = await runner.exec({ argv, env, cwd: place });
      expect(stdout).toBe(`${place}\na b'c$(id)\nEMPTY=\n`);
      await expect(runner.exec({ argv, env: { 'A;touch x': '' } })).rejects.toThrow(
        /no name of an environment/,
      );
    });

    it('are programs, never what the shell has of that name', async () => {
      const { exitCode, stdout } = await runner.exec({ argv: ['printf', '%s', 'a  b'] });
      expect([exitCode, stdout]).toEqual([0, 'a  b']);
      for (const name of ['A=1', '-p'])
        await expect(runner.exec({ argv: [name] })).rejects.toThrow(/no name of a/);
    });

    it('that do not exist, and directories that do not, are named with exit code 3', async () => {
      const missing = runner.exec({ argv: [join(place, 'qnn-net-run')] });
      await expect(missing).rejects.toMatchObject({
        exitCode: 3,
        message: expect.stringMatching(/qnn-net-run is no program/),
      });
      const nowhere = runner.exec({ argv: ['true'], cwd: '/nonexistent' });
      await expect(nowhere).rejects.toMatchObject({
        exitCode: 3,
        message: expect.stringMatching(/no directory/),
      });
    });

    it('cannot be talked into running another one', async () => {
      const marker = join(local, 'pwned');
      const attempts = [
        `; touch ${marker}`,
        `$(touch ${marker})`,
        `\`touch ${marker}\``,
        `' ; touch ${marker} ; '`,
      ];
      attempts.push(
        `\n touch ${marker} \n`,
        `" && touch ${marker} && "`,
        `| touch ${marker}`,
        `\\'; touch ${marker}; \\'`,
      );
      for (const attempt of attempts) {
        const { stdout } = await runner.exec({ argv: ['printf', '%s', attempt] });
        expect(stdout).toBe(attempt);
      }
      expect(existsSync(marker)).toBe(false);
    });

    it('get every argument as it is (property, through the real shell)', async () => {
      const nasty = fc.string({ unit: fc.constantFrom(...' \t\n\'"\\$`;|&<>(){}[]*?!~#=%-aé\u{1F600}') });
      const word = fc.oneof(nasty, fc.string({ unit: 'binary' })).map((text) => text.replaceAll('\0', ''));
      let sent = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: WORDS, size: 'max' }), async (words) => {
          // Lone surrogates have no UTF-8.
          const given = words.map((text) => Buffer.from(text).toString());
          const { stdout } = await runner.exec({ argv: ['printf', '%s\\0', ...given] });
          expect(stdout.split('\0').slice(0, -1)).toEqual(given);
          sent += given.length;
        }),
        { numRuns: LINES },
      );
      if (WORDS > 8) console.log(`${sent} words sent`);
    });

    it('that take too long are ended on the phone too', async () => {
      const pidFile = join(local, 'pid');
      const argv = ['sh', '-c', `echo $$ > "$1"; sleep 300`, 'sh', pidFile];
      await expect(runner.exec({ argv, timeoutMs: 800 })).rejects.toMatchObject({
        problem: 'timeout',
        exitCode: 3,
      });
      expect(await dead(Number(readFileSync(pidFile, 'utf8')))).toBe(true);
    });

    it('are ended on the phone by Ctrl-C', async () => {
      const pidFile = join(local, 'pid');
      const controller = new AbortController();
      const argv = ['sh', '-c', `echo $$ > "$1"; sleep 300`, 'sh', pidFile];
      const running = runner.exec({ argv, signal: controller.signal });
      while (!existsSync(pidFile) || readFileSync(pidFile, 'utf8') === '') await sleep(20);
      controller.abort();
      await expect(running).rejects.toThrow(/abort/);
      expect(await dead(Number(readFileSync(pidFile, 'utf8')))).toBe(true);
    });

    it('tell a lost phone from a killed shell, and neither from success', async () => {
      const running = runner.exec({ argv: ['sh', '-c', 'echo half; sleep 3; echo whole'] });
      await sleep(500);
      device.cut();
      await expect(running).rejects.toMatchObject({
        problem: 'disconnected',
        exitCode: 3,
        message: expect.stringMatching(/went away while sh ran\. Check the cable/),
      });
      expect((await runner.exec({ argv: ['echo', 'back'], repeatable: true })).stdout).toBe('back\n');
      const killed = runner.exec({ argv: ['sh', '-c', 'kill -9 $PPID; sleep 5'] });
      await expect(killed).rejects.toMatchObject({ problem: 'killed', exitCode: 3 });
    });

    it('run again after a break only where that changes nothing', async () => {
      const runs = join(local, 'runs');
      const argv = [
        'sh',
        '-c',
        'echo run >> "$1"; [ $(wc -l < "$1") -gt 1 ] || sleep 3; echo done',
        'sh',
        runs,
      ];
      const running = runner.exec({ argv, repeatable: true });
      while (!existsSync(runs)) await sleep(20);
      device.cut();
      expect((await running).stdout).toBe('done\n');
      expect(readFileSync(runs, 'utf8')).toBe('run\nrun\n');
    });
  });

  describe('transfers', () => {
    it('of a large file, there and back, are whole; the second push sends nothing', async () => {
      const path = file('model "8B".gguf', 16 * MB);
      const directory = await runner.makeWorkDirectory();
      const remote = runner.join(directory, 'model "8B".gguf');
      const seen: number[] = [];
      expect(await runner.push(path, remote, { onProgress: (done) => seen.push(done) })).toBe('sent');
      expect(seen.at(-1)).toBe(16 * MB);
      expect(readFileSync(remote).equals(readFileSync(path))).toBe(true);
      const before = device.received;
      expect(await runner.push(path, remote)).toBe('present');
      expect(device.received - before).toBeLessThan(10_000);
      const back = join(local, 'back');
      await runner.pull(remote, back);
      expect(readFileSync(back).equals(readFileSync(path))).toBe(true);
      expect(readdirSync(local).sort()).toEqual(['back', 'model "8B".gguf']);
      expect(await runner.sha256(remote)).toMatch(/^[0-9a-f]{64}$/);
      expect(await runner.stat(remote)).toEqual({ bytes: 16 * MB, directory: false });
      expect(await runner.stat(directory)).toMatchObject({ directory: true });
      expect(await runner.stat(`${remote}x`)).toBeNull();
      await runner.remove(directory);
      expect(existsSync(place)).toBe(false);
    });

    it('go on where the connection broke', async () => {
      const path = file('model', 12 * MB);
      const directory = await runner.makeWorkDirectory();
      const before = device.received;
      device.cutAfterReceiving(5 * MB);
      expect(await runner.push(path, runner.join(directory, 'm'))).toBe('resumed');
      expect(readFileSync(join(directory, 'm')).equals(readFileSync(path))).toBe(true);
      // What had arrived was not sent again, but for what was on its way.
      expect(device.received - before).toBeLessThan(15 * MB);
      expect(readdirSync(directory).sort()).toEqual(['.dllm-npu-sent', 'm']);
    });

    it('start over when what was there of an earlier attempt is damaged', async () => {
      const path = file('model', 2 * MB);
      const directory = await runner.makeWorkDirectory();
      const { fileSha256 } = await import('../../../src/model/load.js');
      const partial = join(directory, `.${(await fileSha256(path)).slice(0, 32)}.partial`);
      writeFileSync(partial, Buffer.alloc(MB));
      expect(await runner.push(path, join(directory, 'm'))).toBe('sent');
      expect(readFileSync(join(directory, 'm')).equals(readFileSync(path))).toBe(true);
    });

    it('are done when the answer that says so was lost', async () => {
      const path = file('model', MB);
      const directory = await runner.makeWorkDirectory();
      // The connection breaks after the file got its name and before the phone can say so.
      const env = pretend(join(local, 'bin'), { mvThenWaits: true });
      const other = await LoopbackDevice.start({ env });
      try {
        await server.connect(other);
        const slow = await AdbRunner.open({ serial: other.serial, env: server.env, directory: place });
        const pushing = slow.push(path, join(directory, 'm'));
        while (!existsSync(join(directory, 'm'))) await sleep(20);
        other.cut();
        expect(['sent', 'present']).toContain(await pushing);
        expect(readFileSync(join(directory, 'm')).equals(readFileSync(path))).toBe(true);
      } finally {
        await other.stop();
      }
    });

    it('that arrive damaged never get their name', async () => {
      const other = await LoopbackDevice.start({ env: pretend(join(local, 'bin'), { catDamages: true }) });
      try {
        await server.connect(other);
        const damaging = await AdbRunner.open({ serial: other.serial, env: server.env, directory: place });
        const directory = await damaging.makeWorkDirectory();
        const push = damaging.push(file('model', 1000), join(directory, 'm'));
        await expect(push).rejects.toMatchObject({
          exitCode: 3,
          message: expect.stringMatching(/not what was sent/),
        });
        expect(readdirSync(directory)).toEqual([]);
      } finally {
        await other.stop();
      }
    });

    it('replace a file of the same size and other content', async () => {
      const directory = await runner.makeWorkDirectory();
      const remote = join(directory, 'm');
      const path = file('m', 1000);
      await runner.push(path, remote);
      writeFileSync(remote, randomBytes(1000));
      expect(await runner.push(path, remote)).toBe('sent');
      expect(readFileSync(remote).equals(readFileSync(path))).toBe(true);
    });

    it('of an empty file', async () => {
      const remote = join(await runner.makeWorkDirectory(), 'empty');
      expect(await runner.push(file('e', 0), remote)).toBe('sent');
      expect(statSync(remote).size).toBe(0);
    });

    it('to this machine survive a break, or leave nothing', async () => {
      const remote = join(local, 'big');
      writeFileSync(remote, randomBytes(8 * MB));
      device.cutAfterSending(3 * MB);
      await runner.pull(remote, join(local, 'back'));
      expect(readFileSync(join(local, 'back')).equals(readFileSync(remote))).toBe(true);
      await expect(runner.pull(join(local, 'none'), join(local, 'x'))).rejects.toMatchObject({ exitCode: 3 });
      expect(readdirSync(local).sort()).toEqual(['back', 'big']);
    });

    it('of a tree of files with strange names', async () => {
      const names = ["it's", 'a b', '$(x)', '"q"', 'é', '-r'];
      mkdirSync(join(local, 'tree', 'in ner'), { recursive: true });
      for (const name of names) writeFileSync(join(local, 'tree', 'in ner', name), name);
      const remote = join(await runner.makeWorkDirectory(), "the tree's");
      await runner.pushTree(join(local, 'tree'), remote);
      expect(readdirSync(join(remote, 'in ner')).sort()).toEqual([...names].sort());
      await runner.pullTree(remote, join(local, 'back'));
      for (const name of names) expect(readFileSync(join(local, 'back', 'in ner', name), 'utf8')).toBe(name);
      expect(readdirSync(local).sort()).toEqual(['back', 'tree']);
    });
  });

  it('removes what a process left behind that ended while the phone was away, and nothing else', async () => {
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const [dead, alive] = [join(place, workName(gone)), join(place, workName())];
    const foreign = join(place, `run-00000000-${gone}-0123456789ab`);
    for (const directory of [dead, alive, foreign]) mkdirSync(join(directory, 'lib'), { recursive: true });
    const made = await runner.makeWorkDirectory();
    expect(
      readdirSync(place)
        .map((name) => join(place, name))
        .sort(),
    ).toEqual([alive, foreign, made].sort());
  });

  it.skipIf(!mayMount())('tells a full file system, and leaves it as it was', async () => {
    mkdirSync(place, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', place]);
    try {
      const directory = await runner.makeWorkDirectory();
      mkdirSync(join(local, 'tree'));
      for (const name of ['a', 'b', 'c']) file(join('tree', name), MB);
      const push = runner.push(file('big', 3 * MB), join(directory, 'big'));
      await expect(push).rejects.toMatchObject({ problem: 'disk-full', exitCode: 3 });
      const tree = runner.pushTree(join(local, 'tree'), join(directory, 'tree'));
      await expect(tree).rejects.toMatchObject({ problem: 'disk-full', exitCode: 3 });
      expect(readdirSync(directory)).toEqual([]);
    } finally {
      execFileSync('umount', [place]);
    }
  });

  it('removes its work directory however the work ends, over a new connection too', async () => {
    const failing = withWorkDirectory(runner, async (directory) => {
      expect(statSync(directory).mode & 0o777).toBe(0o700);
      await runner.push(file('m', 1000), join(directory, 'm'));
      device.cut();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(existsSync(place)).toBe(false);
  });
});

/** Whether a file system of a given size can be made here: as root, outside most containers. */
function mayMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'dllm-npu-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory]).status === 0;
  if (mounted) spawnSync('umount', [directory]);
  rmSync(directory, { recursive: true, force: true });
  return mounted;
}

/** Whether a process ends within two seconds. */
async function dead(pid: number): Promise<boolean> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      process.kill(pid, 0);
    } catch {
      return true;
    }
    await sleep(20);
  }
  process.kill(pid, 'SIGKILL');
  return false;
}
