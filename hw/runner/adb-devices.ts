import { AdbError, type AdbProblem } from './adb-error.js';

/** One line of `adb devices -l`. */
export interface AdbDevice {
  readonly serial: string;
  /** `device` when it can be used. */
  readonly state: string;
  readonly model: string | null;
}

const STATES =
  'device|offline|unauthorized|authorizing|connecting|recovery|rescue|sideload|bootloader|host|unknown|no permissions';
const LINE = new RegExp(`^(\\S+)\\s+(${STATES})\\b(.*)$`);

/** Lines of `adb devices -l`; the first is a heading, daemon messages start with `*`. */
export function parseAdbDevices(text: string): AdbDevice[] {
  return text.split('\n').flatMap((line) => {
    const match = LINE.exec(line);
    if (match === null || line.startsWith('*')) return [];
    const [, serial = '', state = '', rest = ''] = match;
    return [{ serial, state, model: /\bmodel:(\S+)/.exec(rest)?.[1] ?? null }];
  });
}

const PROBLEMS: Readonly<Record<string, AdbProblem>> = {
  offline: 'offline',
  connecting: 'offline',
  unauthorized: 'unauthorized',
  authorizing: 'unauthorized',
  'no permissions': 'no-permissions',
};

/**
 * The device to use. One is never picked from several: a run on the wrong phone is worse than none.
 * @throws AdbError naming what is connected and what to do
 */
export function selectDevice(devices: readonly AdbDevice[], serial?: string): AdbDevice {
  const stage = 'adb';
  const named = serial === undefined ? devices : devices.filter((device) => device.serial === serial);
  const [device] = named;
  if (device === undefined) {
    if (devices.length === 0) throw new AdbError('no-device', stage, 'no phone is connected');
    throw new AdbError('unknown-serial', stage, `${serial} is not connected; connected: ${list(devices)}`);
  }
  if (named.length > 1) {
    throw new AdbError('several-devices', stage, `${devices.length} phones are connected: ${list(devices)}`);
  }
  if (device.state === 'device') return device;
  throw new AdbError(PROBLEMS[device.state] ?? 'other-state', stage, `${device.serial} is ${device.state}`);
}

function list(devices: readonly AdbDevice[]): string {
  return devices
    .map(({ serial, state, model }) => `${serial} (${model === null ? '' : `${model}, `}${state})`)
    .join(', ');
}
