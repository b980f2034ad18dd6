import { createOrtEngine } from '../../src/engine/ort/engine.js';
import type { ModelConfig } from '../../src/model/config.js';
import { resolvePreset } from '../../src/model/presets.js';
import { syntheticWeights } from '../../src/model/synthetic/weights.js';
import type { Compute } from '../../src/onnx/compute.js';
import { formatTable } from '../../src/util/table.js';
import { best, columns, denoise, THREADS } from './common.js';

const ROUNDS = 15;
/** Bytes the kernels read per block of 32: codes and f32 scale; int8 adds the sum of the block. */
const BLOCK_BYTES: Readonly<Record<Compute, number>> = { f32: 20, int8: 24 };

/**
 * Cost of LLaDA-8B's head (126,464 x 4,096 in Q4_0) for 1 and for 32 of 32 rows: a model with and one without the
 * vocabulary, the difference being the head. One row does 1/32 of the multiplications but reads every weight: the floor
 * is the time one core needs to read those bytes from memory, measured in the same run.
 */
export async function headTable(): Promise<string> {
  const wide: ModelConfig = {
    ...resolvePreset('llada-8b'),
    name: 'head',
    layers: 1,
    ffn: 32,
    heads: 1,
    kvHeads: 1,
  };
  const body: string[][] = [];
  const bandwidth = readBandwidth();
  for (const compute of ['f32', 'int8'] as const) {
    const open = (vocab: number) => {
      const model = { ...wide, vocab };
      return createOrtEngine(model, syntheticWeights(model, 'q4_0', 1), { threads: THREADS, compute });
    };
    const [full, none] = [await open(wide.vocab), await open(32)];
    const cases = [
      [none, 1],
      [full, 1],
      [full, 32],
    ] as const;
    const seconds: number[][] = [[], [], []];
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, [engine, logits]] of cases.entries()) {
        const began = performance.now();
        await engine.run(denoise(32, logits, 32));
        seconds[index].push((performance.now() - began) / 1000);
        engine.retain([]);
      }
    }
    full.dispose();
    none.dispose();
    const [base, withOne, withAll] = seconds.map(best) as [number, number, number];
    const [one, all] = [withOne - base, withAll - base];
    const bytes = ((wide.vocab * wide.hidden) / 32) * BLOCK_BYTES[compute];
    const floor = bytes / bandwidth;
    const ms = (value: number) => (1000 * value).toFixed(1);
    body.push([
      `ort ${compute}`,
      ms(all),
      ms(one),
      `1/${(all / one).toFixed(1)}`,
      (bytes / one / 1e9).toFixed(1),
      ms(floor),
      `1/${(all / floor).toFixed(1)}`,
    ]);
  }
  const headers = [
    'head of 126,464',
    '32 rows ms',
    '1 row ms',
    'ratio',
    '1 row GB/s',
    'floor ms',
    'ratio at floor',
  ];
  return `${formatTable(columns(headers), body)}\none core reads ${(bandwidth / 1e9).toFixed(1)} GB/s`;
}

/** Bytes per second that one core reads from memory: the C library compares two arrays larger than any cache. */
function readBandwidth(): number {
  const size = 256 * 2 ** 20;
  const [a, b] = [Buffer.alloc(size, 1), Buffer.alloc(size, 1)];
  const seconds = Array.from({ length: 6 }, () => {
    const began = performance.now();
    if (Buffer.compare(a, b) !== 0) throw new Error('equal arrays differ');
    return (performance.now() - began) / 1000;
  });
  return (2 * size) / best(seconds);
}
