import { loadavg } from 'node:os';
import { createGgmlEngine } from '../../src/engine/ggml/engine.js';
import { openGguf } from '../../src/model/formats/gguf-source.js';
import { formatTable } from '../../src/util/table.js';
import { loadLlama } from '../../test/oracle/libllama.js';
import { columns, denoise, THREADS } from '../ort/common.js';

/** Rows of a pass, and how many of them get logits here; llama.cpp gives them all. */
const SHAPES = [
  [1, 1],
  [8, 8],
  [32, 32],
  [32, 1],
  [128, 128],
] as const;

const ROUNDS = Number(process.env.DLLM_BENCH_ROUNDS ?? 7);

/**
 * One pass of a file on this project's ggml engine and on libllama, by turns on as many threads: medians, and the median of
 * the ratios of neighbours, which a machine that does other things disturbs least.
 */
export async function passTable(path: string): Promise<string> {
  const { config, weights } = await openGguf(path);
  const engine = await createGgmlEngine(config, weights, { threads: THREADS });
  const llama = (await loadLlama()).open(path, { tokens: 128, threads: THREADS, asShipped: true });
  const before = loadavg()[0];
  const lines: string[][] = [];
  for (const [rows, logits] of SHAPES) {
    const ids = denoise(rows, 0, config.vocab).rows.map(({ feed }) => feed);
    const own = async () => {
      await engine.run(denoise(rows, logits, config.vocab));
      engine.retain([]);
    };
    const theirs = async () => void llama.logits(ids);
    await own();
    await theirs();
    const times: [number, number][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      // Who goes first changes: what the machine does meanwhile hits both.
      const pair = round % 2 === 0 ? [own, theirs] : [theirs, own];
      const taken: number[] = [];
      for (const run of pair) taken.push(await timed(run));
      times.push((round % 2 === 0 ? taken : taken.reverse()) as [number, number]);
    }
    const [mine, other] = [median(times.map(([a]) => a)), median(times.map(([, b]) => b))];
    const best = Math.min(...times.map(([, b]) => b)) / Math.min(...times.map(([a]) => a));
    lines.push([
      `${rows}, logits of ${logits}`,
      mine.toFixed(1),
      other.toFixed(1),
      median(times.map(([a, b]) => b / a)).toFixed(2),
      best.toFixed(2),
    ]);
  }
  engine.dispose();
  llama.close();
  await weights.close();
  const head = columns(['rows', 'ggml engine, ms', 'llama.cpp, ms', 'x llama.cpp (median)', '(best)']);
  return `${THREADS} threads, ${ROUNDS} pairs, load ${before.toFixed(1)} before and ${loadavg()[0].toFixed(1)} after\n${formatTable(head, lines)}`;
}

async function timed(run: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
