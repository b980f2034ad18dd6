import type { Command } from 'commander';
import type { TopLevelSpec } from 'vega-lite';
import { CheckError } from '../../src/errors.js';
import { type CostOptions, openMachine, simulateOptions } from '../cost-options.js';
import type { Context } from '../io.js';
import { integer } from '../numbers.js';
import { resultsDirectory } from '../results-directory.js';

interface OutOption {
  readonly out?: string;
}

interface StepOptions extends CostOptions, OutOption {
  readonly rows: number;
  readonly context: number;
}

/** Figures of the house style that no experiment draws by itself: each as Vega-Lite spec, SVG and PNG. */
export function registerFigure(program: Command, context: () => Context): void {
  const figure = program
    .command('figure')
    .description('a picture for a paper from a machine, a trace or stored runs: .vl.json, .svg and .png');
  const out = ['--out <base>', 'path without extension (default: the name of the figure, here)'] as const;

  const step = (name: string, description: string, rows: number, draw: Draw): void => {
    const command = figure
      .command(name)
      .description(description)
      .option('--rows <n>', 'rows of the step', integer(1), rows)
      .option('--context <n>', 'cached prefix positions', integer(0), 80)
      .option(...out);
    for (const option of simulateOptions()) command.addOption(option);
    command
      .addHelpText('after', `\nExample:\n  $ dllm-npu figure ${name} --profile sm8850 --out fig/${name}`)
      .action(async (options: StepOptions) => write(context(), options.out ?? name, await draw(options)));
  };
  step('roofline', 'a step on its roofline: operations per byte and what was reached', 32, drawRoofline);
  step('staircase', 'time of a step by rows, up to --rows, under every memory runtime', 128, drawStaircase);
  step('tornado', 'a step at both ends of every number that was not measured', 32, drawTornado);
  step('timeline', 'who is busy when in a step, and its middle layer enlarged', 32, drawTimeline);

  figure
    .command('utilization')
    .description('busy share by resource and step of a timed decode')
    .argument('<trace>', 'trace with timing, see `generate --trace` and `ablate`')
    .option(...out)
    .addHelpText(
      'after',
      '\nExample:\n  $ dllm-npu figure utilization results/ablation/latest/traces/scr.jsonl',
    )
    .action(async (file: string, options: OutOption) =>
      write(context(), options.out ?? 'utilization', await drawUtilization(file)),
    );

  figure
    .command('waterfall')
    .description('what each row of the ladder takes off the latency')
    .argument('<summary>', 'summary.json of `ablate`')
    .option(...out)
    .addHelpText('after', '\nExample:\n  $ dllm-npu figure waterfall results/reference/ablation/summary.json')
    .action(async (file: string, options: OutOption) =>
      write(context(), options.out ?? 'waterfall', await drawWaterfall(file)),
    );

  figure
    .command('pareto')
    .description('runs of a sweep by two metrics, with the front')
    .argument('<sweep>', 'sweep file whose runs are in results/')
    .requiredOption('--x <metric>', 'smaller is better, e.g. seconds')
    .requiredOption('--y <metric>', 'larger is better, e.g. exactShare; with a leading - smaller is')
    .option('--name <option>', 'option that names a point', 'policy')
    .option('--results <dir>', 'where runs are kept (default: results/)')
    .option(...out)
    .addHelpText('after', '\nExample:\n  $ dllm-npu figure pareto policies.json --x seconds --y exactShare')
    .action(async (file: string, options: ParetoOptions) =>
      write(context(), options.out ?? 'pareto', await drawPareto(file, options)),
    );
}

type Draw = (options: StepOptions) => Promise<TopLevelSpec>;

async function write(ctx: Context, base: string, spec: TopLevelSpec): Promise<void> {
  const { writeFigure } = await import('../../experiments/figures/render.js');
  const files = await writeFigure(base, spec);
  ctx.data({ files });
  for (const file of files) ctx.print(file);
}

async function drawRoofline(options: StepOptions): Promise<TopLevelSpec> {
  const { roofline } = await import('../../experiments/figures/roofline.js');
  const { rooflineOf } = await import('../../experiments/figures/machine-data.js');
  return roofline(rooflineOf(await openMachine(options), options.rows, options.context));
}

async function drawStaircase(options: StepOptions): Promise<TopLevelSpec> {
  const { staircase } = await import('../../experiments/figures/staircase.js');
  const { denoisingShape, steadyMs } = await import('../../sim/workload/steady-step.js');
  const points: { rows: number; ms: number; series: string }[] = [];
  let tile = 32;
  for (const memory of ['on-demand', 'paging', 'somr', 'unlimited']) {
    const machine = await openMachine({ ...options, memory });
    tile = machine.options.profile.npu.matrixTile;
    for (let rows = 1; rows <= options.rows; rows++) {
      points.push({ rows, ms: steadyMs(machine, denoisingShape(rows, options.context)), series: memory });
    }
  }
  const { costModel, quant, profile, stack } = options;
  const title = `One denoising step of ${costModel} ${quant} on ${profile} (${stack}), simulated`;
  return staircase(points, tile, title);
}

async function drawTornado(options: StepOptions): Promise<TopLevelSpec> {
  const { tornado } = await import('../../experiments/figures/tornado.js');
  const { tornadoOf } = await import('../../experiments/figures/machine-data.js');
  const machine = await openMachine(options);
  const { rows, base, without } = tornadoOf(machine, options.rows, options.context);
  return tornado(rows, base, {
    title: `${options.costModel} on ${options.profile}, ${options.rows} rows: ${base.toFixed(1)} ms at the defaults`,
    x: `simulated ms for one step; ${without} more numbers change less or nothing`,
  });
}

async function drawTimeline(options: StepOptions): Promise<TopLevelSpec> {
  const { timelineSpec } = await import('../../experiments/figures/timeline.js');
  const { stepTimeline } = await import('../../experiments/studies/ladder/step-timeline.js');
  const { denoisingShape } = await import('../../sim/workload/steady-step.js');
  const machine = await openMachine(options, true);
  // The second step finds mapped what stays mapped.
  for (let step = 0; step < 2; step++) machine.timePass(denoisingShape(options.rows, options.context));
  const row = `${options.costModel} on ${options.profile} (${options.stack}, ${options.memory})`;
  return timelineSpec(
    stepTimeline(machine.timeline(), 1, { row, prompt: 0 }),
    `${row}: one step of ${options.rows} rows over ${options.context} positions`,
  );
}

async function drawUtilization(file: string): Promise<TopLevelSpec> {
  const { utilizationMap } = await import('../../experiments/figures/heat-map.js');
  const { readTrace } = await import('../../src/decode/trace/trace.js');
  const { header, steps } = readTrace(file);
  const timed = steps.flatMap(({ timing }) => (timing === null ? [] : [timing]));
  const [first] = timed;
  if (first === undefined) throw new CheckError(`${file}: the trace has no timing; decode it with a machine`);
  const busy = timed.map(({ startMs, endMs, busyMs }, step) => ({
    step,
    busy: Object.fromEntries(Object.entries(busyMs).map(([name, ms]) => [name, ms / (endMs - startMs)])),
  }));
  const resources = Object.keys(first.busyMs).filter((name) =>
    busy.some((step) => (step.busy[name] ?? 0) > 0),
  );
  return utilizationMap(busy, resources, `${header.policy.name} on ${header.timer}`);
}

async function drawWaterfall(file: string): Promise<TopLevelSpec> {
  const { waterfall } = await import('../../experiments/figures/waterfall.js');
  const { readSummary } = await import('../../experiments/studies/ladder/summary-file.js');
  const summary = readSummary(file);
  // `CPU` and `NPU` decode on the full canvas: another method, not a step of the ladder.
  const rows = summary.rows.filter(({ policy }) => policy !== 'llada');
  return waterfall(
    rows.map(({ name, latency_s }) => ({ name, seconds: latency_s.median })),
    `${summary.costModel.name} on ${summary.profile.name}, simulated: factor over the row before`,
  );
}

interface ParetoOptions extends OutOption {
  readonly x: string;
  readonly y: string;
  readonly name: string;
  readonly results?: string;
}

async function drawPareto(file: string, options: ParetoOptions): Promise<TopLevelSpec> {
  const { pareto } = await import('../../experiments/figures/pareto.js');
  const { planSweep } = await import('../../experiments/lab/plan.js');
  const { readSweep } = await import('../../experiments/lab/sweep-file.js');
  const { ResultStore } = await import('../../experiments/lab/store.js');
  const { flatten } = await import('../../experiments/lab/table.js');
  const store = new ResultStore(resultsDirectory(options.results));
  const smaller = options.y.startsWith('-');
  const metric = smaller ? options.y.slice(1) : options.y;
  const points = (await planSweep(readSweep(file))).flatMap(({ hash }) => {
    if (!store.has(hash)) return [];
    const { config, metrics } = store.read(hash);
    const [x, y] = [metrics[options.x] ?? null, metrics[metric] ?? null];
    if (x === null || y === null) return [];
    return [{ name: String(flatten('', config)[`.${options.name}`] ?? hash.slice(0, 8)), x, y }];
  });
  if (points.length === 0) {
    throw new CheckError(`no run of ${file} in ${store.directory} has both ${options.x} and ${metric}`);
  }
  return pareto(points, {
    title: 'What no other run beats in both',
    x: { title: options.x },
    y: { title: metric, smaller, percent: metric.endsWith('Share') },
  });
}
