import { DeviceError } from '../device-error.js';

/** Why adb or the phone behind it could not do what was asked. */
export type AdbProblem =
  | 'no-adb'
  | 'no-server'
  | 'no-device'
  | 'several-devices'
  | 'unknown-serial'
  | 'unknown-list'
  | 'offline'
  | 'unauthorized'
  | 'no-permissions'
  | 'other-state'
  | 'too-old'
  | 'disconnected'
  | 'killed'
  | 'timeout'
  | 'disk-full'
  | 'refused';

/** What to do next, for problems that always have the same answer. */
const ADVICE: Readonly<Partial<Record<AdbProblem, string>>> = {
  'no-adb':
    'Install the Android platform tools (Debian: apt-get install adb), or name the program with --adb',
  'no-server': 'adb kill-server, then again',
  'no-device': 'Connect a phone, switch on USB debugging in its developer options, confirm the dialog',
  'several-devices': 'Choose one with --serial or ANDROID_SERIAL',
  'unknown-serial': 'adb devices -l lists what is connected',
  'unknown-list':
    'Look at adb devices -l; when the phone is there, name it with --serial, and report the line',
  offline: 'Unplug it, plug it in again (over Wi-Fi: adb disconnect, adb connect)',
  unauthorized: 'Unlock the phone and confirm the debugging dialog',
  'no-permissions':
    'Give your user access to the USB device (udev rules; Debian: apt-get install android-sdk-platform-tools-common)',
  'other-state': 'Start Android on it',
  'too-old': 'Android 7 or newer is needed',
  disconnected: 'Check the cable and the screen lock, then run it again',
  killed: 'Often memory ran out on the phone: adb logcat tells',
  timeout: 'Give it more time (--timeout) or look at its log',
  'disk-full': 'Free space on the phone (adb shell df -h /data) or use a smaller model',
};

/** A failure of the connection or the phone, with its kind. Exit code 3, one line, and what to do next. */
export class AdbError extends DeviceError {
  constructor(
    readonly problem: AdbProblem,
    stage: string,
    reason: string,
    readonly advice = ADVICE[problem],
  ) {
    const kind = problem === 'timeout' ? 'timeout' : problem === 'refused' ? 'refused' : 'environment';
    super({ kind, stage, reason }, advice);
  }
}

/** Messages of the adb program, by what they mean. Order matters: the first match counts. */
const MESSAGES: readonly (readonly [RegExp, AdbProblem])[] = [
  [/no space left|ENOSPC|disk full/i, 'disk-full'],
  [
    /cannot connect to daemon|failed to start daemon|couldn't start adb|failed to check server version/i,
    'no-server',
  ],
  [/more than one (device|emulator)/i, 'several-devices'],
  [/no devices(\/emulators)? found/i, 'no-device'],
  [/unauthorized|still authorizing/i, 'unauthorized'],
  [/insufficient permissions|no permissions/i, 'no-permissions'],
  [/device offline|device still connecting/i, 'offline'],
  [
    /device ('[^']*' )?not found|device .*disconnected|error: closed|connect failed|connection reset|broken pipe|transport|protocol fault|failed to (read|write|copy).*(eof|closed|undefined error|no such device)|EOF/i,
    'disconnected',
  ],
];

/** What adb's own words mean; null when they are none of its known ones. */
export function problemOf(text: string): AdbProblem | null {
  return MESSAGES.find(([pattern]) => pattern.test(text))?.[1] ?? null;
}
