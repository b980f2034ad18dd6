import type { Backend, Evidence } from './evidence.js';

/**
 * Where a number comes from, as a word that every record carries.
 *
 * - `simulator`: modelled time; - `ort-cpu`: ONNX Runtime on the host's CPU; - `ggml-cpu`: ggml on the CPU of the machine;
 * - `ggml-device`: ggml on another device of it, with the CPU around it; - `qnn-cpu-ref`: Qualcomm's reference backend on a CPU; - `htp-emulator-x86`: Qualcomm's emulation of the NPU on a PC; - `isa-emulated`: DSP code under an
 * instruction emulator; - `npu-device`: a real NPU.
 */
export const EXECUTION_CLASSES = [
  'simulator',
  'ort-cpu',
  'ggml-cpu',
  'ggml-device',
  'qnn-cpu-ref',
  'htp-emulator-x86',
  'isa-emulated',
  'npu-device',
] as const;

export type BaseClass = (typeof EXECUTION_CLASSES)[number];

/** `recorded:X`: read from a file that an X run wrote earlier. */
export type ExecutionClass = BaseClass | `recorded:${BaseClass}`;

export interface Classification {
  readonly executionClass: BaseClass;
  /** What a run on a real NPU would have had to show and this one did not. Empty for `npu-device`. */
  readonly missing: readonly string[];
}

/** Everything that together makes a run a run on a real NPU: one entry per condition that must hold. */
const NPU_CONDITIONS: readonly { readonly missing: string; readonly holds: (e: Evidence) => boolean }[] = [
  { missing: 'an arm64 target', holds: (e) => e.targetArch === 'arm64' && e.emulator === undefined },
  { missing: 'an HTP backend file', holds: (e) => e.backend === 'htp' && e.backendFile !== null },
  { missing: 'CPU fallback disabled', holds: (e) => e.fallbackDisabled || e.perOperator === true },
  { missing: 'a session created on the backend', holds: (e) => e.created },
  {
    missing: 'every node on the backend',
    holds: (e) => (e.foreignNodes ?? 0) === 0 || e.perOperator === true,
  },
  { missing: 'the SoC id read from the device', holds: (e) => (e.socId ?? '') !== '' },
  { missing: 'accelerator cycles above 0 in the profile', holds: (e) => (e.acceleratorCycles ?? 0) > 0 },
];

/**
 * The class that the evidence supports, never a higher one. Emulation and reference backends keep their class
 * whatever else they report: the x86 emulator reports cycles and a platform too, and neither is a device's.
 */
export function classify(evidence: Evidence): Classification {
  const missing = NPU_CONDITIONS.filter(({ holds }) => !holds(evidence)).map(
    (condition) => condition.missing,
  );
  return { executionClass: missing.length === 0 ? 'npu-device' : lowerClass(evidence), missing };
}

function lowerClass(evidence: Evidence): BaseClass {
  const { emulator, backend, created, foreignNodes, fallbackDisabled, targetArch, perOperator, ggml } =
    evidence;
  if (emulator !== undefined) return 'isa-emulated';
  if (ggml !== undefined) return ggml.type === 'cpu' || !created ? 'ggml-cpu' : 'ggml-device';
  // Work that fell back to the runtime's own CPU provider is a CPU run, whatever was asked for; where it was allowed
  // to fall back, the assignment has to show that it did not.
  const fellBack = foreignNodes === null ? !fallbackDisabled : foreignNodes > 0;
  if (!created || (fellBack && perOperator !== true)) return 'ort-cpu';
  if (backend === 'htp' && targetArch === 'x64') return 'htp-emulator-x86';
  if (backend === 'cpu') return 'qnn-cpu-ref';
  return 'ort-cpu';
}

/** Whether times of a run may stand beside device times. */
export function timesCount(executionClass: ExecutionClass): boolean {
  return executionClass === 'npu-device' || executionClass === 'recorded:npu-device';
}

/** Why times of a class are not device times; null when they are. */
export function whyTimesDoNotCount(executionClass: ExecutionClass): string | null {
  if (timesCount(executionClass)) return null;
  const base = executionClass.replace(/^recorded:/, '') as BaseClass;
  return `times of class ${executionClass} are no device times: ${REASONS[base as Exclude<BaseClass, 'npu-device'>]}`;
}

const REASONS: Readonly<Record<Exclude<BaseClass, 'npu-device'>, string>> = {
  simulator: 'they are modelled',
  'ort-cpu': 'they are those of a CPU',
  'ggml-cpu': 'they are those of a CPU',
  'ggml-device':
    'they are wall-clock times of a device and the CPU around it, not what an accelerator counted',
  'qnn-cpu-ref': "they are those of Qualcomm's reference code on a CPU",
  'htp-emulator-x86': 'they are those of an emulation on a PC, and so are the cycles it reports',
  'isa-emulated': 'an instruction emulator has no timing',
};

/** Backend by the name of its library: `libQnnHtp.so`, `QnnCpu.dll`. */
export function backendOf(file: string): Backend {
  const name = file.split(/[\\/]/).at(-1)?.toLowerCase() ?? '';
  if (/^(lib)?qnnhtp\.(so|dll)$/.test(name)) return 'htp';
  if (/^(lib)?qnncpu\.(so|dll)$/.test(name)) return 'cpu';
  if (/^(lib)?qnngpu\.(so|dll)$/.test(name)) return 'gpu';
  return 'other';
}

/** Architecture in the words of the evidence; takes Node's names and those of `uname -m` and `ro.product.cpu.abi`. */
export function archOf(name: string): Evidence['targetArch'] {
  if (/^(arm64|aarch64|arm64-v8a|armv8l)/i.test(name)) return 'arm64';
  return /^(x64|x86_64|amd64)$/i.test(name) ? 'x64' : 'other';
}
