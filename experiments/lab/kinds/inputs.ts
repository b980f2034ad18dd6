import { profileHash } from '../../../sim/hardware/load-profile.js';
import { isStackPath, stackHash } from '../../../sim/stacks/registry.js';
import { fileSha256 } from '../../../src/model/load.js';
import { deciderInputs } from '../deciders/inputs.js';
import { checkChip, openSpec } from '../open.js';
import type { ChipSetup, DeciderSetup, MethodSetup } from '../setup.js';

/** Files by what they are, with their SHA-256. */
type Inputs = Record<string, string>;

/** Chips and methods that were looked at already: the runs of a sweep have few, and reading one is most of what planning costs. */
const sound = new Set<string>();

function once<T>(parts: T, check: (parts: T) => void): void {
  const key = JSON.stringify(parts);
  if (sound.has(key)) return;
  check(parts);
  sound.add(key);
}

/**
 * Files a chip depends on.
 * @throws UsageError for unknown names, or values of the wrong dimension
 */
export function chipInputs({ costModel, profile, stack, numbers }: ChipSetup): Inputs {
  once({ costModel, profile, stack, numbers }, checkChip);
  const own = isStackPath(stack) ? { [`stack ${stack}`]: stackHash(stack) } : {};
  return { ...own, [`profile ${profile}`]: profileHash(profile) };
}

/**
 * Files that decisions depend on: those of the decider, and the policy's where it is one.
 * @throws UsageError for an unknown decider or policy, or an option that the policy does not have
 */
export async function decisionInputs(config: DeciderSetup & MethodSetup): Promise<Inputs> {
  const { policy, options, blockLength, data } = config;
  once({ policy, options, blockLength }, openSpec);
  const own = policy.endsWith('.json') ? { [`policy ${policy}`]: await fileSha256(policy) } : {};
  const asked = data === undefined ? {} : { [`data ${data}`]: await fileSha256(data) };
  return { ...own, ...asked, ...(await deciderInputs(config.workload)) };
}
