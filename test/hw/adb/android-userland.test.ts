import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AdbRunner } from '../../../hw/runner/adb-runner.js';
import { withWorkDirectory } from '../../../hw/runner/command-runner.js';
import { workName } from '../../../hw/runner/work-name.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { AdbServer, HAS_ADB } from './adb-server.js';
import { LoopbackDevice } from './loopback-device.js';

/** Android's shell and its tools, as Debian packages them. */
const [MKSH, TOYBOX] = ['/bin/mksh', '/usr/bin/toybox'];
const HAS_USERLAND = existsSync(MKSH) && existsSync(TOYBOX);
if (!HAS_USERLAND) {
  console.warn(
    "mksh or toybox is not installed: the adb runner is not tested with Android's shell and tools",
  );
}

const MB = 1_000_000;

/** A directory with every applet of toybox and mksh as `sh`: the whole path of the device. */
function userland(): string {
  const directory = temporaryDirectory();
  const applets = execFileSync(TOYBOX, [], { encoding: 'utf8' }).split(/\s+/).filter(Boolean);
  for (const applet of applets) symlinkSync(TOYBOX, join(directory, applet));
  symlinkSync(MKSH, join(directory, 'sh'));
  return directory;
}

describe.skipIf(!HAS_ADB || !HAS_USERLAND)("adb runner, with Android's shell and tools", () => {
  let server: AdbServer;
  let device: LoopbackDevice;
  let runner: AdbRunner;
  let place: string;
  let local: string;

  beforeAll(async () => {
    local = temporaryDirectory();
    place = join(temporaryDirectory(), "it's a phone");
    server = await AdbServer.start();
    device = await LoopbackDevice.start({ shell: MKSH, env: { PATH: userland() } });
    await server.connect(device);
    runner = await AdbRunner.open({ serial: device.serial, env: server.env, directory: place });
  });
  afterAll(async () => {
    await server.stop();
    await device.stop();
  });

  it('is what answers', async () => {
    const { stdout } = await runner.exec({
      argv: ['sh', '-c', 'echo "$KSH_VERSION"; readlink "$(which sha256sum)"'],
    });
    expect(stdout).toMatch(/MIRBSD KSH.*\n\/usr\/bin\/toybox\n/);
  });

  it('gives exit codes, streams and a missing program', async () => {
    const argv = ['sh', '-c', 'echo out; echo err >&2; exit 3'];
    expect(await runner.exec({ argv })).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
    await expect(runner.exec({ argv: ['./qnn-net-run'] })).rejects.toThrow(/is no program on/);
  });

  it('gets every argument as it is (property)', async () => {
    const word = fc.string({ unit: fc.constantFrom(...' \t\n\'"\\$`;|&<>(){}[]*?!~#=%-aé\u{1F600}') });
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 8 }), async (words) => {
        const { stdout } = await runner.exec({ argv: ['printf', '%s\\0', ...words] });
        expect(stdout.split('\0').slice(0, -1)).toEqual(words);
      }),
      { numRuns: 25 },
    );
  });

  it('sends, goes on after a break, does not send twice, replaces, fetches', async () => {
    await withWorkDirectory(runner, async (directory) => {
      const path = join(local, 'model');
      writeFileSync(path, randomBytes(8 * MB));
      const remote = runner.join(directory, 'a "model"');
      device.cutAfterReceiving(3 * MB);
      expect(await runner.push(path, remote)).toBe('resumed');
      expect(readFileSync(remote).equals(readFileSync(path))).toBe(true);
      const before = device.received;
      expect(await runner.push(path, remote)).toBe('present');
      expect(device.received - before).toBeLessThan(10_000);
      expect(await runner.stat(remote)).toEqual({ bytes: 8 * MB, directory: false });
      writeFileSync(path, 'other');
      expect(await runner.push(path, remote)).toBe('sent');
      await runner.pull(remote, join(local, 'back'));
      expect(readFileSync(join(local, 'back'), 'utf8')).toBe('other');
      mkdirSync(join(local, 'tree', 'in ner'), { recursive: true });
      writeFileSync(join(local, 'tree', 'in ner', "it's"), 'x');
      await runner.pushTree(join(local, 'tree'), runner.join(directory, 'tree'));
      await runner.pullTree(runner.join(directory, 'tree'), join(local, 'tree-back'));
      expect(readdirSync(join(local, 'tree-back', 'in ner'))).toEqual(["it's"]);
    });
    expect(existsSync(place)).toBe(false);
  });

  it('ends what takes too long, and what it lost', async () => {
    const pidFile = join(local, 'pid');
    const argv = ['sh', '-c', 'echo $$ > "$1"; sleep 300', 'sh', pidFile];
    await expect(runner.exec({ argv, timeoutMs: 800 })).rejects.toMatchObject({ problem: 'timeout' });
    await ended(Number(readFileSync(pidFile, 'utf8')));
    const running = runner.exec({ argv });
    await sleep(500);
    device.cut();
    await expect(running).rejects.toMatchObject({ problem: 'disconnected' });
    const pid = Number(readFileSync(pidFile, 'utf8'));
    // The next command finds the way back, and the one that nobody waits for is ended first.
    expect((await runner.exec({ argv: ['echo', 'back'], repeatable: true })).stdout).toBe('back\n');
    await ended(pid);
  });

  it('clears up what was left behind', async () => {
    const dead = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
    mkdirSync(join(place, workName(Number(dead)), 'lib'), { recursive: true });
    const directory = await runner.makeWorkDirectory();
    expect(readdirSync(place).map((name) => join(place, name))).toEqual([directory]);
    await runner.remove(directory);
    expect(existsSync(place)).toBe(false);
  });
});

/** Waits until a process is gone. @throws after two seconds */
async function ended(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await sleep(20);
  }
  process.kill(pid, 'SIGKILL');
  throw new Error(`process ${pid} still runs`);
}
