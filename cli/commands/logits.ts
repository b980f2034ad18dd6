import type { Command } from 'commander';
import { addEngineOptions, type EngineOptions, openEngine } from '../engine-options.js';
import type { Context } from '../io.js';
import { checkIds, tokenIds } from '../token-ids.js';

interface LogitsOptions extends EngineOptions {
  readonly model: string;
  readonly ids: readonly number[];
  readonly causal?: boolean;
  readonly out: string;
}

export function registerLogits(program: Command, context: () => Context): void {
  const command = program
    .command('logits')
    .description('logits of every position of a token sequence, as row-major float32')
    .requiredOption('--model <name>', 'shipped model, directory or .gguf file')
    .requiredOption('--ids <list>', 'token ids: 1,2,3', tokenIds)
    .option('--causal', 'a position sees itself and earlier ones (default: what the model was trained for)')
    .requiredOption('--out <file>', 'file to write, [positions, vocabulary], little-endian');
  addEngineOptions(command)
    .addHelpText(
      'after',
      '\nExample:\n  $ dllm-npu logits --model llada-8b.gguf --ids 126080,3,7 --engine ort --threads 2 --out logits.f32',
    )
    .action(async (options: LogitsOptions) => run(context(), options));
}

async function run(ctx: Context, options: LogitsOptions): Promise<void> {
  const { loadModel } = await import('../../src/model/load.js');
  const { atomicWriteFile } = await import('../../src/util/atomic-write.js');
  const model = await loadModel(options.model);
  try {
    const { config } = model;
    const { ids, out } = options;
    checkIds(config, ids);
    const engine = await openEngine(ctx, model, options);
    try {
      const began = performance.now();
      const causal = options.causal ?? config.attention === 'causal';
      const { logits } = await engine.run({
        id: '0.0',
        kind: 'denoise',
        lane: 'main',
        version: 0,
        reads: [],
        rows: ids.map((feed, position) => ({ position, feed })),
        visibility: causal ? 'causal' : 'all',
        logits: ids.map((_, row) => row),
      });
      const seconds = (performance.now() - began) / 1000;
      const best = ids.map((_, row) => argmax(logits.subarray(row * config.vocab, (row + 1) * config.vocab)));
      atomicWriteFile(out, new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
      const shape = [ids.length, config.vocab];
      ctx.data({
        path: out,
        shape,
        dtype: 'float32',
        model: config.name,
        engine: engine.name,
        causal,
        best,
        seconds,
      });
      ctx.print(`${out}: [${shape.join(', ')}] float32, best ids ${best.join(',')}`);
    } finally {
      engine.dispose();
    }
  } finally {
    await model.weights.close();
  }
}

/** Index of the largest value; the lowest of equals. */
function argmax(row: Float32Array): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}
