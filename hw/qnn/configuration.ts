import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { PerformanceMode } from '../choices.js';
import { environmentFailure } from '../device-error.js';
import type { Backend } from '../record/evidence.js';
import { archOf } from '../record/execution-class.js';
import { binaryArch } from './binary-arch.js';

/** Name under which the plugin must be registered; it refuses others. */
export const QNN_PROVIDER = 'QNNExecutionProvider';

export type QnnBackend = Extract<Backend, 'cpu' | 'htp'>;

export interface QnnRequest {
  /** Directory that holds the plugin and QNN's libraries (`QNN_EP_DIR`). */
  readonly directory: string;
  readonly backend: QnnBackend;
  /** Computes floats as halves. */
  readonly halves: boolean;
  /** Number of the SoC to compile for; needed for halves off the device. */
  readonly socModel?: number;
  /** How the NPU is clocked; the plugin ignores a name that it does not know. */
  readonly performanceMode?: PerformanceMode;
  /** Architecture of the machine; default: this one's. */
  readonly arch?: string;
}

export interface QnnConfiguration {
  readonly plugin: { readonly path: string; readonly name: string };
  readonly provider: { readonly name: string; readonly options: Readonly<Record<string, string>> };
  readonly config: Readonly<Record<string, string>>;
  readonly backendFile: string;
  readonly fallbackDisabled: boolean;
}

const LIBRARIES: Readonly<Record<'posix' | 'win32', Readonly<Record<'plugin' | QnnBackend, string>>>> = {
  posix: { plugin: 'libonnxruntime_providers_qnn.so', cpu: 'libQnnCpu.so', htp: 'libQnnHtp.so' },
  win32: { plugin: 'onnxruntime_providers_qnn.dll', cpu: 'QnnCpu.dll', htp: 'QnnHtp.dll' },
};

/**
 * Settings of a QNN session. The backend is always named by an absolute path, and the runtime's own CPU provider is
 * always forbidden to help, with one exception that the plugin forces: it declines its CPU backend when fallback is
 * off ("Qnn CPU backend is loaded while CPU fallback is disabled"). There the recorded node assignment has to show
 * that nothing fell back.
 *
 * @throws DeviceError when a library is missing, naming it and what the directory has instead
 */
export function qnnConfiguration(request: QnnRequest): QnnConfiguration {
  const names = LIBRARIES[process.platform === 'win32' ? 'win32' : 'posix'];
  const directory = resolve(request.directory);
  const find = (name: string, advice: string) => {
    const path = join(directory, name);
    if (existsSync(path)) return path;
    const others = existsSync(directory)
      ? readdirSync(directory).filter((file) => /\.(so|dll)$/.test(file))
      : [];
    const has = others.length === 0 ? 'has no libraries' : `has ${others.sort().join(', ')}`;
    throw environmentFailure('find QNN', `${name} is not in ${directory} (it ${has})`, advice);
  };
  const plugin = find(names.plugin, 'Point QNN_EP_DIR at the folder of the onnxruntime-qnn package');
  const missingBackend =
    request.backend === 'cpu'
      ? 'onnxruntime-qnn 2.3 for Linux has it, later versions do not: use one of 2.3, or --backend htp'
      : 'Install the onnxruntime-qnn package for this platform';
  const backendFile = find(names[request.backend], missingBackend);
  const arch = request.arch ?? process.arch;
  for (const file of [plugin, backendFile]) requireArch(file, arch);
  if (request.backend === 'htp') requireSkeleton(directory, arch);
  const fallbackDisabled = request.backend !== 'cpu';
  const { halves, socModel, performanceMode } = request;
  return {
    plugin: { path: plugin, name: QNN_PROVIDER },
    provider: {
      name: QNN_PROVIDER,
      options: {
        backend_path: backendFile,
        ...(request.backend === 'htp' ? { enable_htp_fp16_precision: halves ? '1' : '0' } : {}),
        ...(socModel === undefined ? {} : { soc_model: String(socModel) }),
        ...(performanceMode === undefined ? {} : { htp_performance_mode: performanceMode }),
      },
    },
    config: fallbackDisabled ? { 'session.disable_cpu_ep_fallback': '1' } : {},
    backendFile,
    fallbackDisabled,
  };
}

function requireArch(file: string, arch: string): void {
  const built = binaryArch(file);
  if (built === null || built === archOf(arch)) return;
  throw environmentFailure(
    'find QNN',
    `${basename(file)} is built for ${built}, this machine is ${arch}`,
    'Take the package for this machine (dllm-npu device fetch), and run Node of the same architecture',
  );
}

/** The part of the backend that runs on the DSP; without it QNN would fail with a bare number. */
function requireSkeleton(directory: string, arch: string): void {
  if (archOf(arch) !== 'arm64') return;
  if (readdirSync(directory).some((file) => /^libQnnHtpV\d+Skel\.so$/.test(file))) return;
  throw environmentFailure(
    'find QNN',
    `libQnnHtpV*Skel.so is not in ${directory}`,
    'It is the part that runs on the DSP: copy it from the same package (dllm-npu device fetch)',
  );
}

/** Provider options that make the backend write a profile (CSV) of a session. */
export function profilingOptions(path: string): Record<string, string> {
  return { profiling_level: 'detailed', profiling_file_path: resolve(path) };
}
