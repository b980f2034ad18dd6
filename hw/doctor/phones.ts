import { AdbClient, type AdbOptions } from '../runner/adb-client.js';
import { type AdbDevice, type AdbList, requireUsable } from '../runner/adb-devices.js';
import { AdbError } from '../runner/adb-error.js';
import { ADB_DIRECTORY, AdbRunner } from '../runner/adb-runner.js';
import { type KnownSoc, knownSoc } from '../runner/known-socs.js';
import { readTarget, type Target } from '../runner/target.js';
import { type Finding, found, missing, problem } from './finding.js';

/** A phone that answers. */
export interface Phone {
  readonly serial: string;
  readonly target: Target;
  /** Null for a SoC that is not in the list. */
  readonly soc: KnownSoc | null;
  /** Libraries of the phone's own that DSP code is loaded through. */
  readonly libraries: readonly string[];
}

export interface Phones {
  readonly findings: readonly Finding[];
  readonly phones: readonly Phone[];
}

/** FastRPC's library, and the QNN that a vendor may ship: one in front of ours is loaded instead of ours. */
const VENDOR_LIBRARIES = [
  '/vendor/lib64/libcdsprpc.so',
  '/vendor/lib64/libQnnHtp.so',
  '/vendor/lib64/hw/libQnnHtp.so',
  '/odm/lib64/libQnnHtp.so',
];

/** Looks at every phone behind adb. Changes nothing on it; a phone that does not answer is a finding, not an error. */
export async function inspectPhones(options: Pick<AdbOptions, 'adb' | 'env'>): Promise<Phones> {
  const client = new AdbClient(options);
  let list: AdbList;
  let adb: Finding;
  try {
    adb = found('adb', await versionOf(client));
    list = await client.devices();
  } catch (error) {
    return { findings: [adbFinding('adb', error)], phones: [] };
  }
  const unread = list.unread.map((line) =>
    problem(
      'phone',
      `adb lists "${line}", which is not understood`,
      'Look at adb devices -l, and report the line',
    ),
  );
  if (list.devices.length + unread.length === 0) {
    const next = 'Connect a phone, switch on USB debugging in its developer options, confirm the dialog';
    return { findings: [adb, missing('phone', 'none is connected', next)], phones: [] };
  }
  const findings: Finding[] = [adb, ...unread];
  const phones: Phone[] = [];
  for (const device of list.devices) {
    try {
      requireUsable(device);
      const runner = await AdbRunner.open({ ...options, serial: device.serial });
      const phone = await inspect(runner);
      phones.push(phone);
      findings.push(...findingsOf(phone, device, await freeBytes(runner)));
    } catch (error) {
      findings.push(adbFinding(`phone ${device.serial}`, error));
    }
  }
  return { findings, phones };
}

async function versionOf(client: AdbClient): Promise<string> {
  const { stdout } = await client.run(['version'], { timeoutMs: 20_000 });
  return stdout.trim().split(/\r?\n/).slice(0, 2).join(', ').replace('Android Debug Bridge ', '');
}

/** @throws whatever is no failure of adb or the phone */
function adbFinding(what: string, error: unknown): Finding {
  if (!(error instanceof AdbError)) throw error;
  const { reason } = error.failure;
  return error.problem === 'no-adb'
    ? missing(what, 'it is not installed', error.advice ?? null)
    : problem(what, reason, error.advice ?? null);
}

async function inspect(runner: AdbRunner): Promise<Phone> {
  const target = await readTarget(runner);
  const there: string[] = [];
  for (const path of VENDOR_LIBRARIES) {
    if ((await runner.stat(path)) !== null) there.push(path);
  }
  return { serial: runner.serial, target, libraries: there, soc: knownSoc(target.socModel, target.socId) };
}

/** Free bytes where tools and models go; null when the phone does not tell. */
async function freeBytes(runner: AdbRunner): Promise<number | null> {
  const place = ADB_DIRECTORY.slice(0, ADB_DIRECTORY.lastIndexOf('/'));
  const { exitCode, stdout } = await runner.exec({ argv: ['df', '-Pk', place], repeatable: true });
  const free = Number(stdout.trim().split('\n').at(-1)?.split(/\s+/)[3]);
  return exitCode === 0 && Number.isFinite(free) ? free * 1024 : null;
}

function findingsOf(phone: Phone, { model }: AdbDevice, free: number | null): Finding[] {
  const { serial, target, soc, libraries } = phone;
  const what = `phone ${serial}`;
  const room = free === null ? '' : `, ${(free / 1e9).toFixed(1)} GB free`;
  const says = `${model ?? 'connected'}, ${target.os ?? 'unknown system'}, ${target.machine ?? 'unknown architecture'}${room}`;
  const findings = [found(what, says), npuFinding(phone)];
  if (soc !== null && target.arch === 'arm64' && libraries.every((path) => !path.endsWith('libcdsprpc.so'))) {
    const next = 'A phone for sale has it; on a development board install the FastRPC libraries';
    findings.push(problem(what, 'no /vendor/lib64/libcdsprpc.so, through which DSP code is loaded', next));
  }
  const own = libraries.filter((path) => path.endsWith('libQnnHtp.so'));
  if (own.length > 0) {
    findings.push(found(what, `has QNN of its own (${own.join(', ')}); ours is loaded from its own folder`));
  }
  return findings;
}

function npuFinding({ serial, target, soc }: Phone): Finding {
  const what = `NPU of ${serial}`;
  const told = [target.socModel, target.socId === null ? null : `soc_id ${target.socId}`].filter(
    (it) => it !== null,
  );
  if (soc !== null) {
    const qnn = soc.qnnModel === null ? '' : `, soc_model ${soc.qnnModel} for QNN`;
    return found(what, `${soc.name} (${told.join(', ')}): HTP ${soc.htpArch}${qnn}`);
  }
  if (told.length === 0)
    return problem(what, 'the phone does not say which SoC it has', 'Only a Snapdragon has this NPU');
  return problem(
    what,
    `${told.join(', ')} is not in the list of known SoCs`,
    'If it is a Snapdragon with an HTP of v73 or later, add it to hw/runner/known-socs.ts',
  );
}
