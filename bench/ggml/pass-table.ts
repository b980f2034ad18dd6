import { createGgmlEngine } from '../../src/engine/ggml/engine.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { loadLlama } from '../../test/oracle/libllama.js';
import { denoise, THREADS } from '../ort/common.js';
import { pairTable } from './pairs.js';

/** Rows of a pass, and how many of them get logits here; llama.cpp gives them all. */
export type Shape = readonly [rows: number, logits: number];

/** DLLM_BENCH_SHAPES: `32:1,128:128`. */
const ASKED = process.env.DLLM_BENCH_SHAPES?.split(',').map(
  (text) => text.split(':').map(Number) as [number, number],
);

/** One pass of a file on this project's ggml engine and on libllama, by turns on as many threads. */
export async function passTable(path: string, shapes: readonly Shape[]): Promise<string> {
  const { config, weights } = await openGguf(path);
  const engine = await createGgmlEngine(config, weights, { threads: THREADS });
  const llama = (await loadLlama()).open(path, { tokens: 128, threads: THREADS, asShipped: true });
  const pairs = (ASKED ?? shapes).map(([rows, logits]) => {
    const ids = denoise(rows, 0, config.vocab).rows.map(({ feed }) => feed);
    return {
      name: `${rows} rows, logits of ${logits}`,
      own: async () => {
        await engine.run(denoise(rows, logits, config.vocab));
        engine.retain([]);
      },
      theirs: async () => void llama.logits(ids),
    };
  });
  const table = await pairTable(pairs);
  engine.dispose();
  llama.close();
  await weights.close();
  return table;
}
