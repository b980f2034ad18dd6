import type { ResourceName } from '../../src/decode/method/timer.js';
import { type Machine, perResource } from './machine.js';
import type { PartName } from './parts.js';

/** A part of an account, with its time by the resource that held it up. */
export interface AccountPart {
  readonly name: PartName;
  readonly ms: number;
  readonly held: ReadonlyMap<ResourceName, number>;
}

type PerResource = Readonly<Record<ResourceName, number>>;

/** Where the time of one pass or of several went, in ms. */
export interface Account {
  readonly ms: number;
  /** They add up to `ms`. */
  readonly parts: readonly AccountPart[];
  /** Time by the resource that held up the main path; adds up to `ms`. */
  readonly critical: PerResource;
  readonly busy: PerResource;
  readonly splits: number;
}

/** The last step of a machine. @throws Error before the first step */
export function lastStep(machine: Machine): Account {
  const { ms, parts, critical, utilization, splits } = machine.stepBreakdown();
  const held = machine.heldByPart();
  return {
    ms,
    parts: parts.map((part) => ({ ...part, held: held.get(part.name) ?? new Map<ResourceName, number>() })),
    critical,
    busy: perResource((name) => utilization[name] * ms),
    splits,
  };
}

/** Several accounts, each for as many times as it happened. */
export function addUp(accounts: readonly { readonly account: Account; readonly times: number }[]): Account {
  const parts = new Map<PartName, { name: PartName; ms: number; held: Map<ResourceName, number> }>();
  for (const { account, times } of accounts) {
    for (const { name, ms, held } of account.parts) {
      const sum = parts.get(name) ?? { name, ms: 0, held: new Map<ResourceName, number>() };
      parts.set(name, sum);
      sum.ms += times * ms;
      for (const [resource, own] of held) sum.held.set(resource, (sum.held.get(resource) ?? 0) + times * own);
    }
  }
  const total = (of: (account: Account) => number): number =>
    accounts.reduce((sum, { account, times }) => sum + times * of(account), 0);
  return {
    ms: total(({ ms }) => ms),
    parts: [...parts.values()].sort((a, b) => b.ms - a.ms),
    critical: perResource((name) => total(({ critical }) => critical[name])),
    busy: perResource((name) => total(({ busy }) => busy[name])),
    splits: total(({ splits }) => splits),
  };
}
