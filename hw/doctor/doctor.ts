import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DllmError } from '../../src/errors.js';
import { bundledLibrary } from '../ort/host.js';
import { archOf, type BaseClass } from '../record/execution-class.js';
import { type FileRecord, fileRecord } from '../record/run-record.js';
import { type AdbDevice, parseAdbDevices } from '../runner/adb-devices.js';
import type { CommandRunner } from '../runner/command-runner.js';

/** One thing that was looked for. */
export interface Finding {
  readonly what: string;
  readonly state: 'found' | 'missing' | 'problem';
  readonly says: string;
  /** What to do about it; null when nothing is wrong. */
  readonly next: string | null;
}

export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** Classes of execution that can be had here now. */
  readonly can: readonly BaseClass[];
  readonly libraries: readonly FileRecord[];
}

export interface DoctorOptions {
  /** `QNN_EP_DIR`. */
  readonly qnnDirectory: string | undefined;
  readonly runner: CommandRunner;
}

const found = (what: string, says: string): Finding => ({ what, state: 'found', says, next: null });

/** Looks for everything a device run needs and changes nothing. A missing part is a finding, not an error. */
export async function diagnose({ qnnDirectory, runner }: DoctorOptions): Promise<Diagnosis> {
  const findings: Finding[] = [];
  const can: BaseClass[] = ['simulator'];
  const runtime = runtimeFinding();
  findings.push(runtime);
  if (runtime.state === 'found') can.push('ort-cpu');
  const qnn = await qnnFindings(qnnDirectory, runtime.state === 'found');
  findings.push(...qnn.findings, socFinding(), ...(await adbFindings(runner)));
  return { findings, can: [...can, ...qnn.can], libraries: qnn.libraries };
}

function runtimeFinding(): Finding {
  const what = 'ONNX Runtime';
  try {
    return found(what, bundledLibrary());
  } catch (error) {
    if (!(error instanceof DllmError)) throw error;
    return { what, state: 'missing', says: error.message, next: 'npm install onnxruntime-node koffi' };
  }
}

async function qnnFindings(directory: string | undefined, runtime: boolean) {
  const what = 'QNN libraries';
  const none = { can: [] as BaseClass[], libraries: [] as FileRecord[] };
  const get =
    'Get the package onnxruntime-qnn for your platform (pip download --no-deps onnxruntime-qnn), unpack it and set QNN_EP_DIR to its folder onnxruntime_qnn';
  if (directory === undefined || directory === '') {
    return {
      ...none,
      findings: [{ what, state: 'missing', says: 'QNN_EP_DIR is not set', next: get } as Finding],
    };
  }
  const files = existsSync(directory) ? readdirSync(directory) : [];
  const plugin = files.find((file) => /^(lib)?onnxruntime_providers_qnn\.(so|dll)$/.test(file));
  if (plugin === undefined) {
    const says = `${directory} has no onnxruntime_providers_qnn library`;
    return { ...none, findings: [{ what, state: 'problem', says, next: get } as Finding] };
  }
  const pick = (pattern: RegExp) => files.find((file) => pattern.test(file));
  const backends = [pick(/^(lib)?QnnHtp\.(so|dll)$/), pick(/^(lib)?QnnCpu\.(so|dll)$/)];
  const present = backends.filter((file) => file !== undefined);
  const can: BaseClass[] = [];
  if (
    runtime &&
    backends[0] !== undefined &&
    archOf(process.arch) === 'x64' &&
    process.platform === 'linux'
  ) {
    can.push('htp-emulator-x86');
  }
  if (runtime && backends[1] !== undefined) can.push('qnn-cpu-ref');
  const libraries = await Promise.all([plugin, ...present].map((file) => fileRecord(join(directory, file))));
  return { can, libraries, findings: [found(what, `${plugin}, ${present.join(', ') || 'no backend'}`)] };
}

/** SoC of this machine, as Linux on Snapdragon tells it. */
function socFinding(): Finding {
  const what = 'SoC of this machine';
  const path = '/sys/devices/soc0/soc_id';
  if (existsSync(path)) return found(what, `soc_id ${readFileSync(path, 'utf8').trim()}`);
  return {
    what,
    state: 'missing',
    says: `not a Snapdragon (${process.platform} ${process.arch})`,
    next: null,
  };
}

async function adbFindings(runner: CommandRunner): Promise<Finding[]> {
  const what = 'phone behind adb';
  try {
    const { stdout, exitCode, stderr } = await runner.exec({
      argv: ['adb', 'devices', '-l'],
      timeoutMs: 20_000,
    });
    if (exitCode !== 0) {
      return [
        {
          what,
          state: 'problem',
          says: stderr.trim().split('\n')[0] ?? '',
          next: 'adb kill-server, then again',
        },
      ];
    }
    const devices = parseAdbDevices(stdout);
    if (devices.length > 0) return devices.map(deviceFinding);
    const next = 'Connect a phone, switch on USB debugging in its developer options, confirm the dialog';
    return [{ what, state: 'missing', says: 'adb is here, no phone is connected', next }];
  } catch (error) {
    if (!(error instanceof DllmError)) throw error;
    return [
      {
        what,
        state: 'missing',
        says: 'adb is not installed',
        next: 'Install the Android platform tools (Debian: apt-get install adb)',
      },
    ];
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  offline: 'Unplug it, plug it in again',
  unauthorized: 'Unlock the phone and confirm the debugging dialog',
  'no permissions': 'Give your user access to the USB device (udev rules)',
};

function deviceFinding({ serial, state, model }: AdbDevice): Finding {
  const what = `phone ${serial}`;
  if (state === 'device') return found(what, model ?? 'connected');
  return { what, state: 'problem', says: state, next: ADVICE[state] ?? 'Start Android on it' };
}
