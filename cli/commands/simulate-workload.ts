import type { Command } from 'commander';
import { createColors } from 'picocolors';
import { formatTable } from '../../src/util/table.js';
import { type CostOptions, openMachine, simulateOptions } from '../cost-options.js';
import type { Context } from '../io.js';
import { integer, integerList } from '../numbers.js';

interface PrefillOptions extends CostOptions {
  readonly tokens: number[];
  readonly context: number;
}

interface DecodeOptions extends CostOptions {
  readonly context: number[];
  readonly sequences: number;
}

/** Workloads without a policy: what others measure. */
export function registerWorkloads(simulate: Command, context: () => Context): void {
  const prefill = simulate
    .command('prefill')
    .description('time the processing of a prompt')
    .option('--tokens <list>', 'prompt lengths: 128,512 or ranges', integerList(1), [128, 512])
    .option('--context <n>', 'positions cached before the prompt', integer(0), 0);
  for (const option of simulateOptions()) prefill.addOption(option);
  prefill
    .addHelpText(
      'after',
      '\nExample:\n  $ dllm-npu simulate prefill --model qwen3-4b --stack llama.cpp-hexagon --memory on-demand --profile sm8850',
    )
    .action((options: PrefillOptions) => timePrompts(context(), options));

  const decode = simulate
    .command('decode')
    .description('time one autoregressive step')
    .option('--context <list>', 'cached positions: 128,1024 or ranges', integerList(0), [128, 1024])
    .option('--sequences <n>', 'sequences decoded together', integer(1), 1);
  for (const option of simulateOptions()) decode.addOption(option);
  decode
    .addHelpText(
      'after',
      '\nExample:\n  $ dllm-npu simulate decode --model llama-3.2-3b --stack qnn --memory unlimited',
    )
    .action((options: DecodeOptions) => timeTokens(context(), options));
}

async function timePrompts(ctx: Context, options: PrefillOptions): Promise<void> {
  const { timePrefill } = await import('../../sim/workload/workload.js');
  const machine = await openMachine(options);
  const rows = options.tokens.map((tokens) => {
    ctx.signal.throwIfAborted();
    return { tokens, ...timePrefill(machine, tokens, options.context) };
  });
  ctx.data({ machine: machine.name, context: options.context, rows });
  ctx.print(`Prefill on ${machine.name}, simulated\n`);
  printRows(
    ctx,
    'tokens',
    rows.map(({ tokens, ...timing }) => ({ count: tokens, ...timing })),
  );
}

async function timeTokens(ctx: Context, options: DecodeOptions): Promise<void> {
  const { timeDecode } = await import('../../sim/workload/workload.js');
  const machine = await openMachine(options);
  const rows = options.context.map((cached) => {
    ctx.signal.throwIfAborted();
    return { context: cached, ...timeDecode(machine, cached, options.sequences) };
  });
  ctx.data({ machine: machine.name, sequences: options.sequences, rows });
  ctx.print(`Decode on ${machine.name}, simulated\n`);
  printRows(
    ctx,
    'context',
    rows.map(({ context, ...timing }) => ({ count: context, ...timing })),
  );
}

function printRows(
  ctx: Context,
  what: string,
  rows: readonly { count: number; ms: number; tokensPerS: number; passes: number }[],
): void {
  ctx.print(
    formatTable(
      [
        { header: [what], align: 'right' },
        { header: ['ms'], align: 'right' },
        { header: ['tokens/s'], align: 'right' },
        { header: ['passes'], align: 'right' },
      ],
      rows.map((row) => [
        String(row.count),
        row.ms.toFixed(1),
        row.tokensPerS.toFixed(2),
        String(row.passes),
      ]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
}
