import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** Where the WebAssembly files of tfjs lie: a directory. In the explorer, which has none, addresses by file name. */
export function wasmPlace(): string | Record<string, string> {
  const library = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  return `${dirname(library)}/`;
}
