import type { Readable } from 'node:stream';
import { lastLine } from '../device-error.js';
import { type AdbDevice, type AdbList, parseAdbDevices, selectDevice } from './adb-devices.js';
import { AdbError, problemOf } from './adb-error.js';
import { type Exit, spawnCollect } from './spawn-collect.js';

export interface AdbOptions {
  /** The adb program; `adb` of the PATH by default. */
  readonly adb?: string;
  /** Serial of the phone; ANDROID_SERIAL by default, and not needed with one phone. */
  readonly serial?: string;
  /** Settings of adb itself: ANDROID_SERIAL, ANDROID_ADB_SERVER_PORT, HOME. Added to the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface AdbCall {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly stdin?: Readable;
  readonly onStderr?: (chunk: Buffer) => void;
}

const LIST_TIMEOUT_MS = 20_000;
/** How long a phone that went away is waited for. */
const RECONNECT_TIMEOUT_MS = 15_000;
/** How long a phone on the network may take to answer before it is called again. */
const CALL_AGAIN_MS = 3000;

/** The adb program, started once per question. Its server keeps the connections. */
export class AdbClient {
  private readonly adb: string;
  private readonly env: Readonly<Record<string, string>>;

  constructor(options: Pick<AdbOptions, 'adb' | 'env'> = {}) {
    this.adb = options.adb ?? 'adb';
    const set = Object.entries(options.env ?? {}).filter(([, value]) => value !== undefined);
    this.env = Object.fromEntries(set) as Record<string, string>;
  }

  /** Runs adb to its end. @throws AdbError when there is no adb, or the abort reason */
  async run(args: readonly string[], call: AdbCall): Promise<Exit> {
    try {
      return await spawnCollect([this.adb, ...args], { ...call, env: this.env });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== 'ENOENT' && code !== 'EACCES') throw error;
      throw new AdbError('no-adb', 'adb', `${this.adb} cannot be started (${code})`);
    }
  }

  /** Phones in every state. @throws AdbError when adb or its server does not work */
  async devices(): Promise<AdbList> {
    const { code, stdout, stderr, timedOut } = await this.run(['devices', '-l'], {
      timeoutMs: LIST_TIMEOUT_MS,
    });
    if (timedOut) throw new AdbError('no-server', 'adb', 'adb devices did not answer');
    if (code !== 0)
      throw new AdbError('no-server', 'adb', adbSaid(stderr) || `adb devices: exit code ${code}`);
    return parseAdbDevices(stdout);
  }

  /** The phone to use. @throws AdbError when none, several or an unusable one is connected */
  async select(serial: string | undefined): Promise<AdbDevice> {
    return selectDevice(await this.devices(), serial);
  }

  /** What the phone's adb daemon can do: `shell_v2`, `cmd`, ... */
  async features(serial: string): Promise<string[]> {
    const { code, stdout, stderr } = await this.run(['-s', serial, 'features'], {
      timeoutMs: LIST_TIMEOUT_MS,
    });
    if (code !== 0) throw new AdbError(problemOf(stderr) ?? 'disconnected', 'adb', adbSaid(stderr));
    return stdout.split(/\s+/).filter((feature) => feature !== '');
  }

  /** Waits for a phone that went away, and calls one on the network back. False when it stays away. */
  async reconnect(serial: string, signal?: AbortSignal): Promise<boolean> {
    const call = { timeoutMs: RECONNECT_TIMEOUT_MS, signal };
    const onNetwork = /:\d+$/.test(serial) && !(await this.reachable(serial));
    // The server tries again by itself, but seconds later.
    if (onNetwork) await this.run(['disconnect', serial], call);
    const end = performance.now() + RECONNECT_TIMEOUT_MS;
    for (;;) {
      // Called while the server lets the old connection go, it answers with that one, and both are lost: so it is called again.
      if (onNetwork) await this.run(['connect', serial], call);
      const left = end - performance.now();
      const waited = { timeoutMs: Math.max(1, onNetwork ? Math.min(left, CALL_AGAIN_MS) : left), signal };
      const { code } = await this.run(['-s', serial, 'wait-for-device'], waited);
      if (code === 0) return true;
      if (!onNetwork || performance.now() >= end) return false;
    }
  }

  /** Whether the phone answers now. */
  async reachable(serial: string): Promise<boolean> {
    const { code, stdout } = await this.run(['-s', serial, 'get-state'], { timeoutMs: LIST_TIMEOUT_MS });
    return code === 0 && stdout.trim() === 'device';
  }
}

/** The last thing that adb said, without what it calls it. */
export const adbSaid = (text: string): string => lastLine(text).replace(/^(adb: )?error: /, '');
