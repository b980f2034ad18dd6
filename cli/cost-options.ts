import { Option } from 'commander';
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
  readonly fidelity: string;
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
    new Option('--fidelity <level>', 'machine model: event, analytic').default('event'),
  ];
}

const PLACEMENTS = ['global', 'alternating'] as const;

const FIDELITIES = ['event', 'analytic'] as const;

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
  const { createMachine } = await import('../sim/machine/machine.js');
  const { loadProfile } = await import('../sim/hardware/load-profile.js');
  const { stackByName } = await import('../sim/stacks/registry.js');
  const { MEMORY_MODES } = await import('../sim/memory/runtime.js');
  const { precisionFor, QUANTS } = await import('../src/model/precision.js');
  const { resolvePreset } = await import('../src/model/presets.js');
  return createMachine({
    profile: loadProfile(options.profile),
    stack: stackByName(options.stack),
    model: model ?? resolvePreset(options.costModel),
    precision: precisionFor(known('quant', options.quant, QUANTS)),
    memory: known('memory mode', options.memory, MEMORY_MODES),
    memoryOptions: { placement: known('placement', options.placement ?? 'global', PLACEMENTS) },
    fidelity: known('fidelity', options.fidelity, FIDELITIES),
    record,
  });
}

/** What `--perfetto` wrote, beside the answer that was printed. */
export interface WrittenTimeline {
  readonly file: string;
  /** Length of the timeline in ms. */
  readonly total_ms: number;
  /** Length by the machine that gave the answer; another one at analytic fidelity. */
  readonly answer_ms: number;
}

/**
 * Does the same work on a machine that keeps its timeline and writes it as a trace that ui.perfetto.dev and
 * chrome://tracing open. Answers never depend on whether a timeline is written.
 * @param path of the file; undefined writes none
 * @param work what the machine is to do
 * @param answerMs what that took on the machine that gave the answer
 */
export async function writePerfetto(
  path: string | undefined,
  options: CostOptions,
  work: (machine: Machine) => void,
  answerMs: number,
): Promise<WrittenTimeline | null> {
  if (path === undefined) return null;
  const { toPerfetto } = await import('../sim/machine/perfetto.js');
  const machine = await openMachine(options, true);
  work(machine);
  const timeline = machine.timeline();
  atomicWriteFile(path, `${JSON.stringify(toPerfetto(timeline))}\n`);
  return { file: path, total_ms: timeline.steps.at(-1)?.endMs ?? 0, answer_ms: answerMs };
}

/** A line that says which of two totals is which, or null when they agree. */
export function timelineNote({ file, total_ms: total, answer_ms: answer }: WrittenTimeline): string | null {
  if (Math.abs(total - answer) <= 1e-6 * answer) return null;
  const off = ((total / answer - 1) * 100).toFixed(2);
  return (
    `${file} lays operators out one by one and ends at ${total.toFixed(1)} ms; ` +
    `the times above are the closed form, ${answer.toFixed(1)} ms (${off} %)`
  );
}
