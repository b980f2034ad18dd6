import { loadProfile, profileHash } from '../../../sim/hardware/load-profile.js';
import { provenanceEntries } from '../../../sim/hardware/provenance.js';
import type { HardwareProfile } from '../../../sim/hardware/schema.js';
import { latencyTable } from '../../../sim/machine/latency-table.js';
import type { Machine } from '../../../sim/machine/machine.js';
import { machine as openMachine } from '../../../sim/open-machine.js';
import { stackByName } from '../../../sim/stacks/registry.js';
import { composePolicy, type DecodingPolicy } from '../../../src/decode/method/compose.js';
import { policySpecByName } from '../../../src/decode/policies.js';
import type { LatencyTable } from '../../../src/decode/rules/rule.js';
import { cooperative } from '../../../src/engine/cooperative.js';
import type { Engine } from '../../../src/engine/engine.js';
import { createTfjsEngine } from '../../../src/engine/tfjs/engine.js';
import { type LoadedWeights, loadWeightTensors } from '../../../src/engine/tfjs/weight-tensors.js';
import { UsageError } from '../../../src/errors.js';
import { elementsOf } from '../../../src/model/dtype.js';
import { fileSha256, loadModel } from '../../../src/model/load.js';
import { resolvePreset } from '../../../src/model/presets.js';
import { encodePrompt } from '../../../src/model/prompt.js';
import type { Tokenizer } from '../../../src/model/tokenizer.js';
import { weightShapes } from '../../../src/model/weight-ids.js';
import type { Problem } from '../../../src/score/problems.js';
import type { LadderRow } from './ladder.js';
import type { AblationOptions } from './options.js';
import type { ProvenanceEntry } from './types.js';

/** What every prompt of a run shares: the model that decides, the machines that time. */
export class LadderContext {
  private readonly policies = new Map<string, DecodingPolicy>();
  private readonly tables = new Map<string, LatencyTable>();

  constructor(
    readonly options: AblationOptions,
    readonly engine: Engine,
    readonly weights: LoadedWeights,
    private readonly tokenizer: Tokenizer,
    readonly model: { readonly name: string; readonly sha256: string; readonly params: number },
    private readonly hardware: HardwareProfile,
    readonly profileHash: string,
  ) {}

  get eosId(): number {
    return this.engine.config.eosId;
  }

  get maskId(): number {
    const { maskId, name } = this.engine.config;
    if (maskId === null)
      throw new UsageError(`model ${name} has no mask token, so it cannot be decoded by diffusion`);
    return maskId;
  }

  promptIds(problem: Problem): number[] {
    return encodePrompt(this.tokenizer, problem.prompt);
  }

  /** Text before the first end-of-text token. */
  text(tokens: readonly number[]): string {
    const end = tokens.indexOf(this.eosId);
    return this.tokenizer.decode(end < 0 ? tokens : tokens.slice(0, end));
  }

  /** Text of one token. */
  readonly textOf = (token: number): string => {
    const text = this.tokenizer.decode([token], { skipSpecial: false }).trim();
    return text === '' ? `#${token}` : text;
  };

  /** A token as it stands in running text, its leading space included. */
  readonly pieceOf = (token: number): string => this.tokenizer.decode([token], { skipSpecial: false });

  /** The row's policy, with the latency table of the row's machine for adaptive lookahead. */
  policy(name: string, row: LadderRow): DecodingPolicy {
    const key = `${name}/${row.stack}/${row.memory}`;
    let policy = this.policies.get(key);
    if (policy === undefined) {
      const spec = { ...policySpecByName(name), blockLength: this.options.blockLength };
      policy = composePolicy(spec, { latencyTable: this.latencyTable(row) });
      this.policies.set(key, policy);
    }
    return policy;
  }

  /** A machine at time 0 with nothing mapped. */
  machine(row: LadderRow, record = false): Machine {
    const { costModel, quant } = this.options;
    return openMachine({
      profile: this.hardware,
      stack: row.stack,
      shapes: resolvePreset(costModel),
      quant,
      memory: row.memory,
      record,
    });
  }

  provenance(): ProvenanceEntry[] {
    const stacks = ['cpu', 'llada.cpp'].map(stackByName);
    return [
      ...provenanceEntries(this.hardware.provenance),
      ...stacks.flatMap((stack) => provenanceEntries(stack.provenance, `${stack.name}.`)),
    ];
  }

  close(): void {
    this.engine.dispose();
    this.weights.dispose();
  }

  /** Cost of one denoising pass by rows, profiled once per machine on multiples of the tile and interpolated up. */
  private latencyTable(row: LadderRow): LatencyTable {
    const key = `${row.stack}/${row.memory}`;
    const known = this.tables.get(key);
    if (known !== undefined) return known;
    const table = latencyTable(this.machine(row));
    this.tables.set(key, table);
    return table;
  }
}

/** Loads the deciding model and the hardware profile. The caller closes the context. */
export async function openContext(options: AblationOptions): Promise<LadderContext> {
  const hardware = loadProfile(options.profile);
  resolvePreset(options.costModel);
  const loaded = await loadModel(options.model);
  if (loaded.tokenizer === null)
    throw new UsageError(`model ${options.model} has no tokenizer.json beside its weights`);
  const engine = cooperative(await createTfjsEngine(loaded.config, loaded.weights, { backend: 'wasm' }));
  const weights = await loadWeightTensors(loaded.config, loaded.weights);
  const params = [...weightShapes(loaded.config)].reduce((sum, [, shape]) => sum + elementsOf(shape), 0);
  const sha256 = await fileSha256(loaded.weightsPath);
  await loaded.weights.close();
  return new LadderContext(
    options,
    engine,
    weights,
    loaded.tokenizer,
    { name: options.model, sha256, params },
    hardware,
    profileHash(options.profile),
  );
}
