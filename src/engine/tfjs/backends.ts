/** Backends of tfjs. `node` is TensorFlow's C library, see `availableBackend`. */
export const TFJS_BACKENDS = ['wasm', 'cpu', 'node'] as const;
export type TfjsBackend = (typeof TFJS_BACKENDS)[number];
