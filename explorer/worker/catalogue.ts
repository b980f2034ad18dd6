import { generationSpec } from '../../experiments/library/generation-spec.js';
import type { Model } from '../../experiments/library/model.js';
import { loadProfile, profileNames } from '../../sim/hardware/load-profile.js';
import { baseText, type Quantity } from '../../sim/hardware/quantity.js';
import { MEMORY_MODES, type MemoryMode } from '../../sim/memory/runtime.js';
import { PLACEMENT_READINGS } from '../../sim/memory/somr-plan.js';
import { openChip } from '../../sim/open-machine.js';
import { stackByName, stackNames } from '../../sim/stacks/registry.js';
import { misfit } from '../../src/decode/method/fits.js';
import { POLICY_SPECS } from '../../src/decode/policies.js';
import { parsePolicySpec } from '../../src/decode/spec.js';
import { QUANTS } from '../../src/model/precision.js';
import { presetNames } from '../../src/model/presets.js';
import { commandLine } from '../setting/command.js';
import { policyControls } from '../setting/controls.js';
import { differences, parseSetting, type Setting } from '../setting/setting.js';
import { problemOf } from './explore.js';
import type { Catalogue, Described, NumberView } from './view.js';

const MEMORIES: Readonly<Record<MemoryMode, string>> = {
  'on-demand':
    'whole buffers of 1 GiB are mapped when an operator needs them, the least recently used goes; the NPU waits',
  paging: 'the first tensors that fit stay mapped, the rest is mapped one by one',
  somr: 'residents stay mapped, the rest is copied into two staging slots beside the NPU',
  unlimited: 'no address window: what its limit costs is the difference',
};

/** Everything that can be chosen for a model. */
export function catalogueOf(model: Model): Catalogue {
  const { config, tokenizer } = model;
  return {
    policies: POLICY_SPECS.filter((spec) => misfit(parsePolicySpec(spec), config) === null).map(
      ({ name, description }) => ({ name, about: description ?? '' }),
    ),
    models: [...presetNames(), config.name],
    quants: QUANTS,
    chips: profileNames().map((name) => ({ name, about: loadProfile(name).soc })),
    stacks: stackNames().map((name) => ({ name, about: stackByName(name).description })),
    memories: MEMORY_MODES.map((name) => ({ name, about: MEMORIES[name] })),
    placements: PLACEMENT_READINGS,
    vocabulary: Array.from(
      { length: config.vocab },
      (_, id) => tokenizer?.decode([id], { skipSpecial: false }).trim() ?? String(id),
    ),
    maskId: config.maskId ?? -1,
    endIds: config.endIds,
  };
}

/**
 * Completes a setting and says which fields it has.
 * @throws UsageError naming what is wrong
 */
export function describeSetting(model: Model, raw: unknown): Described {
  const setting = parseSetting(raw);
  const spec = generationSpec(model.config, setting);
  const { profile, stack, numbers: set } = setting;
  const chip = openChip({ profile, stack, set });
  return {
    setting,
    prompt: setting.prompt ?? problemOf(setting).prompt,
    controls: policyControls(spec),
    numbers: numbersOf(setting),
    command: commandLine(setting),
    link: differences(setting),
    tileRows: chip.profile.npu.matrixTile,
    windowBytes: chip.profile.window.bytes,
  };
}

/** The numbers of a chip and its software as shipped, with the intervals that their sources leave. */
function numbersOf({ profile, stack }: Setting): NumberView[] {
  const chip = openChip({ profile, stack });
  const views = (prefix: string, quantities: Readonly<Record<string, Quantity>>) =>
    Object.entries(quantities).map(([name, quantity]) => numberView(prefix + name, quantity));
  return [...views('profile.', chip.profile.provenance), ...views('stack.', chip.stack.provenance)];
}

function numberView(name: string, quantity: Quantity): NumberView {
  const { value, text, kind, source, range, dimension } = quantity;
  const unit = baseText(value, dimension).slice(String(value).length).trim();
  return { name, text, value, unit, range: range ?? null, kind, source };
}
