import { InvalidArgumentError, Option } from 'commander';
import type { Machine } from '../sim/machine/machine.js';
import type { ModelConfig } from '../src/model/config.js';
import { atomicWriteFile } from '../src/util/atomic-write.js';
import { unknownName } from '../src/util/nearest.js';

/** What to time with what; shared by every command that simulates. */
export interface CostOptions {
  readonly costModel: string;
  readonly quant: string;
  readonly profile: string;
  readonly stack: string;
  readonly memory: string;
  readonly placement?: string;
}

/** The options, with the paper's setting as default: LLaDA-8B in Q4_0 by llada.cpp on SM8750. */
export function costOptions(): Option[] {
  return [new Option('--cost-model <name>', 'model whose shapes are timed').default('llada-8b'), ...chip()];
}

/** The same for commands that run no model, where `--model` can only mean the one that is timed. */
export function simulateOptions(): Option[] {
  return [
    new Option('--model, --cost-model <name>', 'model whose shapes are timed').default('llada-8b'),
    ...chip(),
  ];
}

function chip(): Option[] {
  return [
    new Option('--quant <format>', 'weight format: f32, f16, q8_0, q4_0').default('q4_0'),
    new Option('--profile <name>', 'hardware profile, or path of one').default('sm8750'),
    new Option('--stack <name>', 'software stack, see `hardware stacks`').default('llada.cpp'),
    new Option('--memory <mode>', 'address window: on-demand, paging, somr, unlimited').default('somr'),
    new Option('--placement <reading>', 'residents of SOMR: global, or alternating by phase').default(
      'global',
    ),
    fidelity(),
  ];
}

const PLACEMENTS = ['global', 'alternating'] as const;

/** Said by name, for those who wrote it in a script. */
function fidelity(): Option {
  return new Option('--fidelity <level>').hideHelp().argParser(() => {
    throw new InvalidArgumentError(
      'There is one machine model, which times every chunk: leave the option out.',
    );
  });
}

function known<T extends string>(kind: string, name: string, names: readonly T[]): T {
  const found = names.find((candidate) => candidate === name);
  if (found === undefined) throw unknownName(kind, name, names);
  return found;
}

/**
 * @param record keep the timeline, for `writePerfetto`
 * @param model timed instead of the preset that the options name
 * @throws UsageError with the nearest names for an unknown model, format, profile, stack or mode
 */
export async function openMachine(
  options: CostOptions,
  record = false,
  model?: ModelConfig,
): Promise<Machine> {
  const { machine } = await import('../sim/open-machine.js');
  const { MEMORY_MODES } = await import('../sim/memory/runtime.js');
  const { QUANTS } = await import('../src/model/precision.js');
  const { resolvePreset } = await import('../src/model/presets.js');
  return machine({
    profile: options.profile,
    stack: options.stack,
    shapes: model ?? resolvePreset(options.costModel),
    quant: known('quant', options.quant, QUANTS),
    memory: known('memory mode', options.memory, MEMORY_MODES),
    placement: known('placement', options.placement ?? 'global', PLACEMENTS),
    record,
  });
}

/** What `--perfetto` wrote, beside the answer that was printed. */
export interface WrittenTimeline {
  readonly file: string;
  /** Length of the timeline in ms. */
  readonly total_ms: number;
}

/**
 * Does the same work on a machine that keeps its timeline and writes it as a trace that ui.perfetto.dev and
 * chrome://tracing open. Answers never depend on whether a timeline is written.
 * @param path of the file; undefined writes none
 * @param work what the machine is to do
 */
export async function writePerfetto(
  path: string | undefined,
  options: CostOptions,
  work: (machine: Machine) => void,
): Promise<WrittenTimeline | undefined> {
  if (path === undefined) return undefined;
  const { toPerfetto } = await import('../sim/machine/perfetto.js');
  const machine = await openMachine(options, true);
  work(machine);
  const timeline = machine.timeline();
  atomicWriteFile(path, `${JSON.stringify(toPerfetto(timeline))}\n`);
  return { file: path, total_ms: timeline.steps.at(-1)?.endMs ?? 0 };
}
