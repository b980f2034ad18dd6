/**
 * Closed sets that commands offer and schemas accept. This module imports nothing: the help of a command needs the names
 * alone.
 */

/** What runs the step graph: ONNX Runtime's CPU or one of QNN's backends in a host process, or a device of ggml. */
export const DEVICE_BACKENDS = ['ort-cpu', 'qnn-cpu', 'htp', 'ggml'] as const;
/** Those that run it as an ONNX model. */
export type OnnxBackend = Exclude<(typeof DEVICE_BACKENDS)[number], 'ggml'>;

/**
 * How a device graph computes. `f32`, `f16`: the same float graph; a backend that has only halves computes it in halves.
 * `w8a16`, `w4a16`: linear layers with 8-bit weights (a scale per output channel) or 4-bit weights (a scale per block of
 * 32; the head always 8-bit) and 16-bit activations; norms, rotation, attention and SwiGLU stay in floats.
 */
export const DEVICE_NUMERICS = ['f32', 'f16', 'w8a16', 'w4a16'] as const;
export type DeviceNumerics = (typeof DEVICE_NUMERICS)[number];

/** How a run computed: as a device graph does, or in the formats that its file has. */
export const RUN_NUMERICS = [...DEVICE_NUMERICS, 'as stored'] as const;
export type RunNumerics = (typeof RUN_NUMERICS)[number];

/** Where the logits of a device graph are made: in the graph, or by the reference's code on the CPU. */
export const HEAD_PLACES = ['graph', 'cpu'] as const;
export type HeadPlace = (typeof HEAD_PLACES)[number];

/** Type of K and V at the boundary of a device graph. */
export const KV_FORMATS = ['f32', 'f16'] as const;
export type KvFormat = (typeof KV_FORMATS)[number];

/** `htp_performance_mode` of the QNN plugin. Source: its documentation. */
export const PERFORMANCE_MODES = [
  'burst',
  'sustained_high_performance',
  'high_performance',
  'balanced',
  'low_balanced',
  'power_saver',
  'high_power_saver',
  'low_power_saver',
  'extreme_power_saver',
  'default',
] as const;
export type PerformanceMode = (typeof PERFORMANCE_MODES)[number];

/** `--perf_profile` of qnn-net-run. Source: the Python package qairt-dev 0.13.0. */
export const NET_RUN_PROFILES = [...PERFORMANCE_MODES, 'system_settings'] as const;
export type NetRunProfile = (typeof NET_RUN_PROFILES)[number];

/** What qnn-net-run records of every execution. */
export const PROFILING_LEVELS = ['basic', 'detailed'] as const;
export type ProfilingLevel = (typeof PROFILING_LEVELS)[number];

/** Decoding methods of llama-diffusion-cli, by the number it takes. */
export const DIFFUSION_ALGORITHMS = ['origin', 'entropy', 'margin', 'random', 'confidence'] as const;
export type DiffusionAlgorithm = (typeof DIFFUSION_ALGORITHMS)[number];
