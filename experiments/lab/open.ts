import { latencyTable } from '../../sim/machine/latency-table.js';
import type { Machine } from '../../sim/machine/machine.js';
import type { Recording } from '../../sim/machine/timeline.js';
import { type Chip, machine, openChip as machineParts } from '../../sim/open-machine.js';
import { composePolicy, type DecodingPolicy } from '../../src/decode/method/compose.js';
import { overrideSpec } from '../../src/decode/overrides.js';
import { policySpecByName } from '../../src/decode/policies.js';
import type { LatencyTable } from '../../src/decode/rules/rule.js';
import type { PolicySpec, PolicySpecInput } from '../../src/decode/spec.js';
import { readTrace } from '../../src/decode/trace/trace.js';
import type { Engine } from '../../src/engine/engine.js';
import * as registry from '../../src/engine/registry.js';
import type { LoadedWeights } from '../../src/engine/tfjs/weight-tensors.js';
import { UsageError } from '../../src/errors.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { Precision } from '../../src/model/graph.js';
import { fileSha256, type LoadedModel, loadModel } from '../../src/model/load.js';
import { resolvePreset } from '../../src/model/presets.js';
import type { Tokenizer } from '../../src/model/tokenizer.js';
import type { AskedQuestion } from './deciders/asked.js';
import { type DataQuestion, dataQuestions } from './deciders/data-questions.js';
import type { Decider } from './deciders/decider.js';
import { modelOf, parseDecider } from './deciders/name.js';
import { type ChipSetup, type DeciderSetup, deciderSchema, type MethodSetup } from './setup.js';

/** A model with the tokenizer that decoding a text needs. */
export interface TextModel extends LoadedModel {
  readonly tokenizer: Tokenizer;
}

/**
 * A shipped model by name, a directory or a .gguf file. The caller closes its weights.
 * @throws UsageError for an unknown name, with the nearest, or a model without a tokenizer; DataError for damaged files
 */
export async function openModel(name: string): Promise<TextModel> {
  const model = await loadModel(name);
  const { tokenizer } = model;
  if (tokenizer !== null) return { ...model, tokenizer };
  await model.weights.close();
  throw new UsageError(`model ${name} has no tokenizer.json beside its weights`);
}

/**
 * The engine of a decider on its model. The caller disposes it; the weights may be closed once it is open.
 * @throws EnvironmentError when the engine or its backend is not installed
 */
export function openEngine(
  model: LoadedModel,
  { engine = 'tfjs', backend, threads, compute, device }: Partial<DeciderSetup>,
  hooks: registry.EngineHooks = {},
): Promise<Engine> {
  return registry.openEngine(engine, model, { backend, threads, compute, device }, hooks);
}

/** Weights as the verifier reads them. */
export interface OpenWeights {
  readonly config: ModelConfig;
  readonly weights: LoadedWeights;
  close(): void;
}

/**
 * The weights of a model as f32 tensors, for the verifier, which recomputes decodes on tfjs whatever engine made them.
 * @throws UsageError for an unknown model; DataError for damaged files
 */
export async function openWeights(name: string): Promise<OpenWeights> {
  const { loadWeightTensors } = await import('../../src/engine/tfjs/weight-tensors.js');
  const { useBackend } = await import('../../src/engine/tfjs/backend.js');
  const { config, weights: source } = await loadModel(modelOf(name));
  await useBackend('wasm');
  const weights = await loadWeightTensors(config, source);
  await source.close();
  return { config, weights, close: () => weights.dispose() };
}

/** What a machine may be opened with besides the chip. */
export interface MachineExtras {
  /** Keeps the timeline. */
  readonly record?: boolean | Recording;
  /** Timed instead of the preset that the chip names. */
  readonly shapes?: ModelConfig;
  /** Formats of its tensors, in place of those of the chip's quant. */
  readonly precision?: Precision;
  /** Fewer than the model has: for the time of one operator, which does not depend on the others. */
  readonly layers?: number;
}

/**
 * A machine at time 0 with nothing mapped.
 * @throws UsageError for unknown names, or values of the wrong dimension
 */
export function openMachine(
  chip: ChipSetup,
  { record, shapes, precision, layers }: MachineExtras = {},
): Machine {
  const { profile, stack, quant, memory, placement, numbers: set } = chip;
  const model = shapes ?? resolvePreset(chip.costModel);
  return machine({
    profile,
    stack,
    set,
    // The same object where nothing differs: graphs are remembered by it.
    shapes: layers === undefined ? model : { ...model, layers },
    quant: precision ?? quant,
    memory,
    placement,
    record,
  });
}

/**
 * The profile and the stack of a chip, with the numbers that it sets.
 * @throws UsageError for unknown names, or values of the wrong dimension
 */
export function openChip({
  profile,
  stack,
  numbers: set,
}: Pick<ChipSetup, 'profile' | 'stack' | 'numbers'>): Chip {
  return machineParts({ profile, stack, set });
}

/**
 * Refuses a chip whose parts are unknown. Whether they fit together is seen when a machine is made of them.
 * @throws UsageError for unknown names, or values of the wrong dimension
 */
export function checkChip(chip: Pick<ChipSetup, 'costModel' | 'profile' | 'stack' | 'numbers'>): void {
  resolvePreset(chip.costModel);
  openChip(chip);
}

/**
 * The spec of a method: the named policy, or one from a file, with the changes.
 * @throws UsageError with the nearest names, or for a path or value that the schema refuses
 */
export function openSpec({ policy, options, blockLength }: MethodSetup): PolicySpec {
  const named = policySpecByName(policy);
  return overrideSpec(blockLength === null ? named : { ...named, blockLength }, options);
}

/**
 * A spec ready to decode, with the costs by which adaptive lookahead decides.
 * @param machine makes a machine that is used for nothing else, when a cost is first asked for; without it the rows
 *   of a tile are free, as in Table 2
 */
export function openPolicy(spec: PolicySpecInput, machine?: () => Machine): DecodingPolicy {
  if (machine === undefined) return composePolicy(spec);
  let table: LatencyTable | undefined;
  return composePolicy(spec, {
    latencyTable: (rows) => {
      table ??= latencyTable(machine());
      return table(rows);
    },
  });
}

/** What may be expected of the bits of a decision made again, for its record; null where no engine ran. */
export function reproducibility(
  setup: DeciderSetup,
  engineName: string | null,
): 'on every machine' | 'on one machine' | null {
  if (engineName === null) return null;
  return registry.ENGINES[setup.engine].portable(setup) ? 'on every machine' : 'on one machine';
}

/**
 * Who decides. The caller closes it.
 * @param seed of the problems of a model, or of a confidence process
 * @throws UsageError for an unknown name, or a model without a tokenizer; DataError for damaged files
 */
export async function openDecider(decider: Partial<DeciderSetup>, seed: number): Promise<Decider> {
  const setup = deciderSchema.parse(decider);
  const name = parseDecider(setup.workload);
  if (setup.data !== undefined && name.kind !== 'model')
    throw new UsageError(`${setup.workload} answers no questions of ${setup.data}: take a model`);
  if (name.kind === 'trace') {
    const { TraceDecider, traceFiles } = await import('./deciders/trace.js');
    return new TraceDecider(setup.workload, traceFiles(name.path).map(readTrace));
  }
  if (name.kind === 'synthetic') {
    const { syntheticDecider } = await import('./deciders/synthetic/decider.js');
    return syntheticDecider(name.profile, seed, name.promptTokens);
  }
  const { ModelDecider } = await import('./deciders/model.js');
  const model = await openModel(name.model);
  const engine = await openEngine(model, setup);
  await model.weights.close();
  const sha256 = await fileSha256(model.weightsPath);
  if (setup.data !== undefined && name.set !== 'long')
    throw new UsageError(
      `${setup.workload} has its own problems: ask the questions of ${setup.data} of ${name.model}`,
    );
  const data = await questionsFor(model, setup, seed);
  return new ModelDecider(setup.workload, seed, engine, model.tokenizer, sha256, { set: name.set, data });
}

/**
 * The questions of a data file, as a model is asked them.
 * @throws EnvironmentError or DataError for the file; UsageError for a question without an answer, or a scorer
 */
export function questionsOf(
  model: TextModel,
  data: string,
  asked: Pick<DeciderSetup, 'scorer' | 'template' | 'maskToken'>,
): readonly DataQuestion[] {
  return dataQuestions(data, model, asked);
}

/** What the file of a setup asks; undefined where it names none. */
async function questionsFor(
  model: TextModel,
  { data, maskShare: share, maskDraws: draws = 1, ...asked }: DeciderSetup,
  seed: number,
): Promise<readonly AskedQuestion[] | undefined> {
  if (data === undefined) {
    if (share !== undefined) throw new UsageError('maskShare masks the texts of a file: give data');
    return undefined;
  }
  if (share === undefined) return questionsOf(model, data, asked);
  const { maskedQuestions } = await import('./deciders/masked-questions.js');
  return maskedQuestions(data, model, { share, draws, seed });
}

/** What tells a decider from another: two that agree in it decide the same. */
export function deciderIdentity({ workload, ...settings }: DeciderSetup): Partial<DeciderSetup> {
  if (parseDecider(workload).kind !== 'model') return { workload };
  const { engine, data, scorer, template, maskToken, maskShare, maskDraws } = settings;
  const asked = { data, scorer, template, maskToken, maskShare, maskDraws };
  return { workload, engine, ...asked, ...registry.settingsInEffect(engine, settings) };
}
