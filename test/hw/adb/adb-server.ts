import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { LoopbackDevice } from './loopback-device.js';

const LIST_TIMEOUT_MS = 20_000;
const execute = promisify(execFile);

/** Whether the adb program is here; the tests say so in a line and count themselves as skipped without. */
export const HAS_ADB = spawnSync('adb', ['version'], { stdio: 'ignore' }).status === 0;
if (!HAS_ADB)
  console.warn('adb is not installed: the tests against it are skipped (Debian: apt-get install adb)');

/** A real adb server of the test's own: private port, private keys, nothing of the machine's own adb touched. */
export class AdbServer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly home: string,
    /** Settings that make an adb program use this server. */
    readonly env: Readonly<Record<string, string>>,
  ) {}

  static async start(): Promise<AdbServer> {
    const home = mkdtempSync(join(tmpdir(), 'dllm-npu-adb-'));
    const port = await freePort();
    const env = {
      HOME: home,
      ANDROID_ADB_SERVER_PORT: String(port),
      ANDROID_SERIAL: '',
      // No look for emulators on the ports of this machine.
      ADB_LOCAL_TRANSPORT_MAX_PORT: '5553',
    };
    const child = spawn('adb', ['-P', String(port), 'nodaemon', 'server'], {
      stdio: 'ignore',
      env: { ...process.env, ...env },
    });
    const server = new AdbServer(child, home, env);
    for (let attempt = 0; attempt < 100; attempt++) {
      if (await listening(port)) return server;
      await sleep(50);
    }
    await server.stop();
    throw new Error('the adb server did not start');
  }

  /** Runs adb itself; what it says. @throws when its exit code is not 0 */
  async adb(...args: string[]): Promise<string> {
    const { stdout } = await execute('adb', args, { env: { ...process.env, ...this.env }, timeout: 30_000 });
    return stdout;
  }

  /** Connects a device, and returns when it is listed in whatever state: one that never answers is not waited for. */
  async connect(device: LoopbackDevice): Promise<void> {
    const connected = this.adb('connect', device.serial).catch(() => {});
    const listed = async () => {
      while (!(await this.adb('devices')).includes(device.serial)) await sleep(50);
      if (device.answers) await connected;
    };
    await Promise.race([listed(), sleep(LIST_TIMEOUT_MS)]);
  }

  async stop(): Promise<void> {
    const ended = once(this.child, 'exit');
    if (this.child.exitCode === null && this.child.kill('SIGKILL')) await ended;
    rmSync(this.home, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

function listening(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => answer(true)).on('error', () => answer(false));
    socket.on('connect', () => socket.destroy());
  });
}
