import { AdbError, type AdbProblem } from './adb-error.js';

/** Every state that adb has a word for, and why a phone in it cannot be used. Source: AOSP, packages/modules/adb/adb.cpp. */
const STATES = {
  device: null,
  offline: 'offline',
  connecting: 'offline',
  detached: 'offline',
  unauthorized: 'unauthorized',
  authorizing: 'unauthorized',
  'no permissions': 'no-permissions',
  recovery: 'other-state',
  rescue: 'other-state',
  sideload: 'other-state',
  bootloader: 'other-state',
  host: 'other-state',
  unknown: 'other-state',
} as const satisfies Readonly<Record<string, AdbProblem | null>>;
export type AdbState = keyof typeof STATES;

/** One line of `adb devices -l`. */
export interface AdbDevice {
  readonly serial: string;
  /** `device` when it can be used. */
  readonly state: AdbState;
  readonly model: string | null;
}

/** Answer of `adb devices -l`. */
export interface AdbList {
  readonly devices: readonly AdbDevice[];
  /** Lines that may name a phone and are of no known form. */
  readonly unread: readonly string[];
}

/** A serial may hold spaces (a second phone of one name on the network); behind the state stand facts, `name:value`. */
const LINE = new RegExp(
  String.raw`^(\S.*?)\s+(${Object.keys(STATES).join('|')})((?:\s*[(;].*)?(?:\s+\w+:\S+)*)\s*$`,
);
const HEADING = /^List of devices attached|^\* |^adb server /;

/** Reads `adb devices -l`; its heading and the messages of its daemon are no devices. */
export function parseAdbDevices(text: string): AdbList {
  const devices: AdbDevice[] = [];
  const unread: string[] = [];
  for (const line of text.split(/\r?\n/).filter((it) => it.trim() !== '' && !HEADING.test(it))) {
    const [, serial, state, facts = ''] = LINE.exec(line) ?? [];
    if (serial === undefined) unread.push(line.trim());
    else devices.push({ serial, state: state as AdbState, model: /\bmodel:(\S+)/.exec(facts)?.[1] ?? null });
  }
  return { devices, unread };
}

/**
 * The device to use. One is never picked from several: a run on the wrong phone is worse than none.
 * @throws AdbError naming what is connected and what to do
 */
export function selectDevice({ devices, unread }: AdbList, serial?: string): AdbDevice {
  const named = serial === undefined ? devices : devices.filter((device) => device.serial === serial);
  const [device] = named;
  const connected = [...devices.map(described), ...unread.map((line) => `"${line}"`)].join(', ');
  if (device === undefined) {
    if (unread.length > 0)
      throw new AdbError('unknown-list', 'adb', `adb lists what is not understood: ${connected}`);
    if (devices.length === 0) throw new AdbError('no-device', 'adb', 'no phone is connected');
    throw new AdbError('unknown-serial', 'adb', `${serial} is not connected; connected: ${connected}`);
  }
  const choice = serial === undefined ? named.length + unread.length : named.length;
  if (choice > 1)
    throw new AdbError('several-devices', 'adb', `${choice} phones are connected: ${connected}`);
  return requireUsable(device);
}

/** @throws AdbError that says why the phone cannot be used in this state */
export function requireUsable(device: AdbDevice): AdbDevice {
  const problem = STATES[device.state];
  if (problem === null) return device;
  throw new AdbError(problem, 'adb', `${device.serial} is ${device.state}`);
}

const described = ({ serial, state, model }: AdbDevice): string =>
  `${serial} (${model === null ? '' : `${model}, `}${state})`;
