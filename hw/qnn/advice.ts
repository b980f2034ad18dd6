/** What to do about a refusal, by what the plugin, QNN or the DSP's loader said. First match wins. */
const ADVICE: readonly { readonly said: RegExp; readonly next: string }[] = [
  {
    // Plugin 2.7: halves off a device need both settings.
    said: /soc_model is not specified/,
    next: 'Name the SoC to compile for: --soc-model 69 is the 8 Elite',
  },
  {
    // Off a device the HTP backend has no arithmetic for f32, and says it like this.
    said: /Failed to (finalize|compose|create) QNN graph|QNN_GRAPH_ERROR|QNN_COMMON_ERROR_MEM_ALLOC/,
    next: 'The backend rejects this graph: try --numerics f16 or w8a16 with --soc-model 69, or --backend qnn-cpu',
  },
  {
    said: /fallback to CPU EP has been explicitly disabled/,
    next: 'The backend declined the graph or a part of it, and nothing else may compute it: check --soc-model and --numerics',
  },
  {
    said: /EpContext model|context (from )?binary|ep_cache_context/i,
    next: 'The compiled context is damaged or was made by another version: remove its folder, and it is made again',
  },
  {
    // fastrpc and QNN issue threads: the stub on the CPU and the skeleton on the DSP are of different releases.
    said: /lib id mismatch|version mismatch|Unable to find a valid interface|incompatible (binaries|version)|needs API version|API version .* not available/i,
    next: 'Libraries of different releases are mixed: take all of them from one package (dllm-npu device fetch)',
  },
  {
    // QNN's own log lines; from issue threads of onnxruntime and executorch.
    said: /skel/i,
    next: 'The DSP does not find libQnnHtpV*Skel.so: it has to be of the same package, in the directory that ADSP_LIBRARY_PATH names',
  },
  {
    said: /error:? 14001|No Snapdragon SOC detected|Failed to create transport for device/i,
    next: 'QNN does not reach this NPU: run dllm-npu device doctor, and install the NPU driver of the machine',
  },
  {
    said: /cannot open shared object file|GLIBC(XX)?_/,
    next: 'A library that it needs is missing here: the packages for Linux need glibc 2.35 or later, libstdc++ and libatomic',
  },
];

/** Undefined when nobody has seen those words yet. */
export function qnnAdvice(reason: string): string | undefined {
  return ADVICE.find(({ said }) => said.test(reason))?.next;
}
