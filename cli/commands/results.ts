import { type Command, Option } from 'commander';
import { createColors } from 'picocolors';
import type { IndexLine, RunRecord } from '../../experiments/lab/record.js';
import type { ResultStore } from '../../experiments/lab/store.js';
import { UsageError } from '../../src/errors.js';
import { formatTable } from '../../src/util/table.js';
import type { Context } from '../io.js';
import { resultsDirectory } from '../results-directory.js';
import { listRuns, metricOption, numberText, printRuns } from '../run-list.js';

interface StoreOption {
  readonly results?: string;
}

interface Filter extends StoreOption {
  readonly kind?: string;
  readonly where: readonly string[];
  readonly sweep?: string;
  readonly refused?: boolean;
  readonly anyCode?: boolean;
}

interface ListOptions extends Filter {
  readonly metric: readonly string[];
}

interface ExportOptions extends ListOptions {
  readonly format: 'csv' | 'parquet' | 'jsonl';
  readonly out?: string;
}

export function registerResults(program: Command, context: () => Context): void {
  const results = program.command('results').description('what sweeps have computed: results/runs/');
  const directory = (): Option => new Option('--results <dir>', 'where runs are kept (default: results/)');
  const filtered = (command: Command): Command =>
    command
      .addOption(directory())
      .option('--sweep <file>', 'only the runs of a sweep file, in its order')
      .option('--kind <name>', 'only runs of this kind')
      .addOption(
        new Option('--where <option=value>', 'only runs with this option, e.g. memory=somr; repeatable')
          .argParser((text: string, all: readonly string[]) => [...all, text])
          .default([], 'all'),
      )
      .option('--refused', 'only combinations that cannot run')
      .option('--any-code', 'also runs of other versions of the code')
      .addOption(metricOption());

  filtered(results.command('list').description('runs with the options in which they differ'))
    .addHelpText(
      'after',
      '\nExamples:\n  $ dllm-npu results list --kind step --where memory=somr\n  $ dllm-npu results list --kind step --metric "ms_per_row = ms / config.rows"',
    )
    .action((options: ListOptions) => list(context(), options));

  results
    .command('show')
    .description('one run: options, inputs, metrics')
    .argument('<hash>', 'its hash, or the beginning of it')
    .addOption(directory())
    .addHelpText('after', '\nExample:\n  $ dllm-npu results show 3fa9 --json')
    .action((hash: string, options: StoreOption) => show(context(), hash, options));

  results
    .command('diff')
    .description('in what two runs differ, asked and found')
    .argument('<a>', 'hash, or the beginning of it')
    .argument('<b>', 'the other')
    .addOption(directory())
    .addHelpText('after', '\nExample:\n  $ dllm-npu results diff 3fa9 77b0')
    .action((a: string, b: string, options: StoreOption) => diff(context(), a, b, options));

  filtered(results.command('export').description('runs as one table: a column per option and metric'))
    .addOption(
      new Option('--format <name>', 'csv, parquet, or one JSON object per line')
        .choices(['csv', 'parquet', 'jsonl'])
        .default('csv'),
    )
    .option('--out <file>', 'file to write (default: standard output; parquet needs a file)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ dllm-npu results export --sweep rows.json > rows.csv\n  $ dllm-npu results export --kind decode --format parquet --out decodes.parquet',
    )
    .action((options: ExportOptions) => exportRuns(context(), options));

  results
    .command('merge')
    .description('copy the runs of other result directories into this one, by content hash')
    .argument('<dirs...>', 'result directories')
    .addOption(directory())
    .addHelpText(
      'after',
      '\nTwo results for one hash that differ are an error: nothing is overwritten.' +
        '\n\nExample:\n  $ dllm-npu results merge /shared/node1/results /shared/node2/results',
    )
    .action((directories: string[], options: StoreOption) => merge(context(), directories, options));
}

async function openStore({ results }: StoreOption): Promise<ResultStore> {
  const { ResultStore } = await import('../../experiments/lab/store.js');
  return new ResultStore(resultsDirectory(results));
}

/** Index lines that pass the filter, in order. */
async function select(store: ResultStore, filter: Filter): Promise<IndexLine[]> {
  const conditions = filter.where.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw new UsageError(`--where takes option=value, got "${text}"`);
    return { option: text.slice(0, at), value: text.slice(at + 1) };
  });
  const { flatten } = await import('../../experiments/lab/table.js');
  const { codeVersion } = await import('../../experiments/lab/code-version.js');
  const code = codeVersion();
  let lines = store.index();
  if (filter.sweep !== undefined) {
    const { readSweep } = await import('../../experiments/lab/sweep-file.js');
    const { planSweep } = await import('../../experiments/lab/plan.js');
    const byHash = new Map(lines.map((line) => [line.hash, line]));
    lines = (await planSweep(readSweep(filter.sweep))).flatMap(({ hash }) => byHash.get(hash) ?? []);
  } else if (!filter.anyCode) {
    lines = lines.filter((line) => line.code === code);
  }
  return lines.filter((line) => {
    if (filter.kind !== undefined && line.kind !== filter.kind) return false;
    if (filter.refused && line.outcome !== 'refused') return false;
    const options = flatten('', line.config);
    return conditions.every(({ option, value }) => String(options[`.${option}`]) === value);
  });
}

async function list(ctx: Context, filter: ListOptions): Promise<void> {
  const store = await openStore(filter);
  const runs = await listRuns(store, await select(store, filter), filter.metric);
  ctx.data({ results: store.directory, runs });
  if (runs.length === 0) {
    ctx.print(`no such runs in ${store.directory}`);
    return;
  }
  await printRuns(ctx, runs, filter.refused ? ({ hash }) => store.read(hash).reason ?? '' : undefined);
  ctx.note(`${runs.length} runs in ${store.directory}`);
}

async function show(ctx: Context, prefix: string, options: StoreOption): Promise<void> {
  const { flatten } = await import('../../experiments/lab/table.js');
  const store = await openStore(options);
  const record = store.find(prefix);
  const line = store.index().find(({ hash }) => hash === record.hash);
  ctx.data({ ...record, made: line });
  ctx.print(`${record.hash}\n${record.kind}, ${record.outcome}${record.reason ? `: ${record.reason}` : ''}`);
  if (line?.finishedAt)
    ctx.print(`made ${line.finishedAt} in ${line.seconds} s on ${line.host}, ${line.node}`);
  ctx.print(`code ${record.code.slice(0, 12)}, version ${record.version}\n`);
  const pairs = {
    ...flatten('config', record.config),
    ...flatten('inputs', record.inputs),
    ...record.metrics,
  };
  ctx.print(
    formatTable(
      [
        { header: ['name'], align: 'left' },
        { header: ['value'], align: 'right' },
      ],
      Object.entries(pairs).map(([name, value]) => [name, cellText(value)]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
}

async function diff(ctx: Context, a: string, b: string, options: StoreOption): Promise<void> {
  const { diffRuns } = await import('../../experiments/lab/diff.js');
  const store = await openStore(options);
  const [left, right] = [store.find(a), store.find(b)];
  const { asked, found } = diffRuns(left, right);
  ctx.data({ a: left.hash, b: right.hash, asked, found });
  if (asked.length + found.length === 0) {
    ctx.print('the same run');
    return;
  }
  ctx.print(
    formatTable(
      [
        { header: ['name'], align: 'left' },
        { header: [left.hash.slice(0, 12)], align: 'right' },
        { header: [right.hash.slice(0, 12)], align: 'right' },
        { header: ['ratio'], align: 'right' },
      ],
      [...asked, ...found].map((line) => [
        line.name,
        cellText(line.a),
        cellText(line.b),
        line.ratio === null ? '' : line.ratio.toFixed(3),
      ]),
      { styleHeader: createColors(ctx.color).bold },
    ),
  );
}

/** Long hashes are cut, numbers rounded: the data has all of it. */
function cellText(value: unknown): string {
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)) return value.slice(0, 12);
  return value === null ? '' : String(value);
}

async function exportRuns(ctx: Context, options: ExportOptions): Promise<void> {
  const { runTable } = await import('../../experiments/lab/table.js');
  const { userMetrics } = await import('../../experiments/lab/metric.js');
  const { atomicWriteFile } = await import('../../src/util/atomic-write.js');
  const { format, out } = options;
  if (format === 'parquet' && out === undefined) throw new UsageError('--format parquet needs --out FILE');
  const store = await openStore(options);
  const stored = (await select(store, options)).map(({ hash }) => store.read(hash));
  const own = await userMetrics(stored, options.metric);
  const records = stored.map((record, i) => ({ ...record, metrics: { ...record.metrics, ...own[i] } }));
  const content = await formatRuns(format, records, runTable);
  if (out === undefined) {
    ctx.io.stdout.write(String(content));
    return;
  }
  atomicWriteFile(out, content);
  ctx.data({ file: out, runs: records.length });
  ctx.print(`${records.length} runs written to ${out}`);
}

async function formatRuns(
  format: ExportOptions['format'],
  records: readonly RunRecord[],
  tableOf: typeof import('../../experiments/lab/table.js').runTable,
): Promise<string | Uint8Array> {
  if (format === 'jsonl') return records.map((record) => `${JSON.stringify(record)}\n`).join('');
  const table = tableOf(records);
  if (format === 'parquet') {
    const { formatParquet } = await import('../../experiments/lab/parquet.js');
    return formatParquet(table);
  }
  const { formatCsv } = await import('../../src/util/csv.js');
  return formatCsv([table.columns, ...table.rows]);
}

async function merge(ctx: Context, directories: readonly string[], options: StoreOption): Promise<void> {
  const { mergeStores } = await import('../../experiments/lab/merge.js');
  const { ResultStore } = await import('../../experiments/lab/store.js');
  const store = await openStore(options);
  const outcome = mergeStores(
    store,
    directories.map((directory) => new ResultStore(directory)),
  );
  ctx.data({ results: store.directory, ...outcome });
  ctx.print(`${outcome.added} runs added, ${outcome.equal} were there with the same content`);
}
