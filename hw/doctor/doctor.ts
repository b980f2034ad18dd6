import type { GgmlDevice } from '../../src/engine/ggml/devices.js';
import { DllmError, EnvironmentError } from '../../src/errors.js';
import { bundledLibrary } from '../ort/host.js';
import type { FileRecord } from '../record/device-record.js';
import { archOf, type BaseClass } from '../record/execution-class.js';
import { knownSoc } from '../runner/known-socs.js';
import { localSocId } from '../session/soc-id.js';
import { type Ability, type Finding, found, missing } from './finding.js';
import { inspectGgml } from './ggml.js';
import { inspectLibraries, inspectSdk, type QairtFolder, type QnnFolder } from './libraries.js';
import { inspectPhones, type Phone } from './phones.js';

export interface Diagnosis {
  readonly findings: readonly Finding[];
  readonly abilities: readonly Ability[];
  /** Classes of execution that can be had from here now. */
  readonly can: readonly BaseClass[];
  readonly libraries: readonly FileRecord[];
  /** What `--engine ggml --device` takes. */
  readonly ggmlDevices: readonly GgmlDevice[];
}

export interface DoctorOptions {
  /** QNN_EP_DIR, QAIRT_ROOT, and adb's own settings. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where fetched packages are. */
  readonly cache: string;
  /** The adb program. */
  readonly adb?: string;
}

/** Looks for everything a device run needs and changes nothing. A missing part is a finding, not an error. */
export async function diagnose({ env, cache, adb }: DoctorOptions): Promise<Diagnosis> {
  const runtime = runtimeFinding();
  const ggml = inspectGgml(env);
  const { findings: ofLibraries, folders, libraries } = await inspectLibraries(env, cache);
  const { finding: ofSdk, sdk } = inspectSdk(env.QAIRT_ROOT);
  const { findings: ofPhones, phones } = await inspectPhones({ env, adb });
  const host: Host = { runtime: runtime.state === 'found', folders, sdk, socId: localSocId() };
  const abilities = [...hostAbilities(host), ...phones.flatMap((phone) => phoneAbilities(phone, host))];
  const can = abilities.filter((ability) => ability.missing.length === 0);
  return {
    findings: [runtime, ggml.finding, socFinding(host.socId), ...ofLibraries, ...ofPhones, ofSdk],
    abilities: phones.length === 0 ? [...abilities, NO_PHONE] : abilities,
    can: [...new Set(can.map(({ executionClass }) => executionClass))],
    libraries,
    ggmlDevices: ggml.devices,
  };
}

/** @throws EnvironmentError saying what is missing for the class, when it cannot be had now */
export function requireClass({ can, abilities }: Diagnosis, wanted: BaseClass): void {
  if (can.includes(wanted)) return;
  const ways = abilities.filter(({ executionClass }) => executionClass === wanted);
  const missing = ways.map((ability) => `${ability.what} needs ${ability.missing.join(', ')}`);
  throw new EnvironmentError(
    `${wanted} cannot be had here: ${missing.join('; ') || 'not on this kind of machine'}`,
  );
}

interface Host {
  readonly runtime: boolean;
  readonly folders: readonly QnnFolder[];
  readonly sdk: QairtFolder | null;
  readonly socId: string | null;
}

function runtimeFinding(): Finding {
  const what = 'ONNX Runtime';
  try {
    return found(what, bundledLibrary());
  } catch (error) {
    if (!(error instanceof DllmError)) throw error;
    return missing(what, error.message, 'npm install onnxruntime-node koffi');
  }
}

function socFinding(socId: string | null): Finding {
  const what = 'SoC of this machine';
  if (socId === null) return missing(what, `not a Snapdragon (${process.platform} ${process.arch})`, null);
  const soc = knownSoc(null, socId);
  return found(what, `${socId}${soc === null ? '' : `: ${soc.name}, HTP ${soc.htpArch}`}`);
}

/** What this machine runs itself. */
function hostAbilities({ runtime, folders, socId }: Host): Ability[] {
  const needs = (...conditions: readonly (readonly [boolean, string])[]): string[] =>
    conditions.flatMap(([holds, what]) => (holds ? [] : [what]));
  const ort = [runtime, 'ONNX Runtime'] as const;
  const has = (backend: 'htp' | 'cpu') => folders.some(({ backends }) => backends[backend] !== null);
  const compare = 'dllm-npu device compare';
  const arm = archOf(process.arch) === 'arm64';
  const inProcess: Ability = arm
    ? {
        executionClass: 'npu-device',
        what: 'NPU of this machine, in process',
        command: `${compare} --backend htp --numerics f16`,
        missing: needs(
          ort,
          [has('htp'), "QNN's HTP library (dllm-npu device fetch)"],
          [socId !== null, 'a Snapdragon'],
        ),
      }
    : {
        executionClass: 'htp-emulator-x86',
        what: 'NPU emulated on this PC',
        command: `${compare} --backend htp --numerics f16 --soc-model 69`,
        missing: needs(
          ort,
          [process.platform === 'linux', 'Linux'],
          [has('htp'), "QNN's HTP library (dllm-npu device fetch)"],
        ),
      };
  return [
    {
      executionClass: 'simulator',
      what: 'modelled chips',
      command: 'dllm-npu simulate step --rows 32,64,128',
      missing: [],
    },
    {
      executionClass: 'ort-cpu',
      what: "ONNX Runtime on this machine's CPU",
      command: compare,
      missing: needs(ort),
    },
    {
      executionClass: 'qnn-cpu-ref',
      what: "QNN's reference code on this machine's CPU",
      command: `${compare} --backend qnn-cpu`,
      missing: needs(ort, [
        has('cpu'),
        'QNN CPU library (Linux x86-64: dllm-npu device fetch --package 2.3.0)',
      ]),
    },
    inProcess,
  ];
}

/** The oldest HTP that today's libraries have code for. */
const OLDEST_HTP = 73;

/** What a phone can run: by llama.cpp, and by QNN's own tools. */
export function phoneAbilities(
  { serial, target, soc, libraries }: Phone,
  { sdk }: Pick<Host, 'sdk'>,
): Ability[] {
  const htpArch = soc?.htpArch ?? null;
  const npu =
    htpArch === null
      ? ['a known Snapdragon']
      : Number(htpArch.slice(1)) >= OLDEST_HTP
        ? []
        : [`an HTP of v${OLDEST_HTP} or later (it has ${htpArch})`];
  const phone = [
    ...(target.arch === 'arm64' ? [] : ['an arm64 phone']),
    ...npu,
    ...(libraries.some((path) => path.endsWith('libcdsprpc.so'))
      ? []
      : ['/vendor/lib64/libcdsprpc.so on the phone']),
  ];
  const skel = sdk === null || htpArch === null || sdk.archs.includes(htpArch);
  return [
    {
      executionClass: 'npu-device',
      what: `NPU of phone ${serial}, by llama.cpp`,
      command: `dllm-npu device ggml bench --serial ${serial} --package LLAMA_CPP_FOLDER --model MODEL.gguf --record record.json`,
      missing: phone,
    },
    {
      executionClass: 'npu-device',
      what: `NPU of phone ${serial}, by QNN`,
      command: `dllm-npu device qnn replay TRACE.jsonl --graphs GRAPHS --serial ${serial} --record record.json`,
      missing: [
        ...phone,
        ...(sdk === null ? ['the QNN SDK (QAIRT_ROOT)'] : []),
        ...(skel ? [] : [`DSP libraries for ${htpArch} in the QNN SDK`]),
      ],
    },
  ];
}

const NO_PHONE: Ability = {
  executionClass: 'npu-device',
  what: 'NPU of a phone',
  command: 'dllm-npu device doctor',
  missing: ['a phone behind adb'],
};
