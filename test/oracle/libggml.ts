import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { CODECS, type WeightDType } from '../../src/model/formats/blocks/index.js';

const PACKAGE = '@node-llama-cpp/linux-x64';

/** libggml's own block codecs as an oracle: the prebuilt library of node-llama-cpp's platform package. */
export interface Ggml {
  /** Values of whole blocks. */
  dequantise(dtype: WeightDType, bytes: Uint8Array): Float32Array;
  /** Blocks of a row of values, without an importance matrix. */
  quantise(dtype: WeightDType, values: Float32Array): Uint8Array;
}

/** Null where the package is not installed. */
export async function loadGgml(): Promise<Ggml | null> {
  let directory: string;
  try {
    directory = join(dirname(createRequire(import.meta.url).resolve(PACKAGE)), '..', 'bins', 'linux-x64');
  } catch {
    return null;
  }
  const { default: koffi } = await import('koffi');
  const library = koffi.load(join(directory, 'libggml-base.so'));
  // Fills the tables of halves.
  const init = koffi.struct({ size: 'size_t', buffer: 'void *', noAlloc: 'bool' });
  library.func('ggml_init', 'void *', [init])({ size: 1024, buffer: null, noAlloc: true });
  const chunk = library.func('ggml_quantize_chunk', 'size_t', [
    'int',
    'void *',
    'void *',
    'int64',
    'int64',
    'int64',
    'void *',
  ]);
  return {
    dequantise: (dtype, bytes) => {
      const symbol = `dequantize_row_${dtype.replace('_k', '_K')}`;
      const { elements, bytes: blockBytes } = CODECS[dtype];
      const values = new Float32Array((bytes.length / blockBytes) * elements);
      library.func(symbol, 'void', ['void *', 'void *', 'int64'])(bytes, values, values.length);
      return values;
    },
    quantise: (dtype, values) => {
      const { id, elements, bytes } = CODECS[dtype];
      const out = new Uint8Array((values.length / elements) * bytes);
      chunk(id, values, out, 0, 1, values.length, null);
      return out;
    },
  };
}
