import { RESOURCES, type ResourceName } from '../../src/decode/method/timer.js';
import { type Account, type AccountPart, addUp, lastStep } from './account.js';
import type { Machine } from './machine.js';
import { HOST_PARTS, type OpLabel, type Place } from './parts.js';
import { longestHeld } from './pass-run.js';

/** A share of a step's time, with what it consists of. */
export interface TimeNode {
  readonly name: string;
  readonly ms: number;
  /** The resource that held it up longest; of the step, that of `StepBreakdown`. */
  readonly bound: ResourceName;
  readonly children: readonly TimeNode[];
}

/** The least time each resource could need for the same work, were it the only limit. */
export interface RooflineEntry {
  readonly resource: ResourceName;
  readonly ms: number;
}

export interface Explanation {
  /** Length of the work, and what held it up longest: of a step, the same as in its `StepBreakdown`. */
  readonly ms: number;
  readonly bound: ResourceName;
  /** How often the graph changed processors; 0 where one runs it all. */
  readonly splits: number;
  readonly tree: TimeNode;
  /** Time on the main path by the resource that held it up; adds up to the step. */
  readonly critical: readonly RooflineEntry[];
  /** Busy time of each resource: no schedule is shorter than the largest. */
  readonly roofline: readonly RooflineEntry[];
  /** The resource that is busy longest. Nothing need wait for it: `bound` is what the step waited for. */
  readonly busiest: ResourceName;
  /** Largest busy time over the step's time: 1 would be perfect overlap. */
  readonly efficiency: number;
}

const PLACES = ['NPU', 'CPU', 'GPU'] as const satisfies readonly Place[];

type Family =
  | 'attention'
  | 'recurrent mixer'
  | 'per-layer input'
  | 'feed-forward'
  | 'norms and additions'
  | 'embedding and head';

/** Operators that belong together in a transformer layer. */
const FAMILY_OF: Readonly<Record<OpLabel | 'sampling', Family>> = {
  q: 'attention',
  k: 'attention',
  v: 'attention',
  o: 'attention',
  attention: 'attention',
  rope: 'attention',
  'mixer-in': 'recurrent mixer',
  'state-mix': 'recurrent mixer',
  'mixer-out': 'recurrent mixer',
  'layer-input': 'per-layer input',
  gate: 'feed-forward',
  up: 'feed-forward',
  down: 'feed-forward',
  swiglu: 'feed-forward',
  gelu: 'feed-forward',
  router: 'feed-forward',
  moe: 'feed-forward',
  layernorm: 'norms and additions',
  rmsnorm: 'norms and additions',
  add: 'norms and additions',
  embed: 'embedding and head',
  'gather-rows': 'embedding and head',
  head: 'embedding and head',
  factor: 'embedding and head',
  sampling: 'embedding and head',
};
const FAMILIES = [...new Set(Object.values(FAMILY_OF))];

/**
 * Where the time of the last step went: NPU, CPU, GPU, host and memory, then families of operators, then operators.
 * The parts of a node add up to it.
 * @throws Error before the first step
 */
export function explainStep(machine: Machine): Explanation & { readonly step: number } {
  const { step } = machine.stepBreakdown();
  return { step, ...explainAccounts([{ name: 'step', account: lastStep(machine) }]) };
}

/**
 * Where the time of some work went, as of a step. Of more than one account the tree has a branch for each.
 * @param accounts what follows what, named
 */
export function explainAccounts(
  accounts: readonly { readonly name: string; readonly account: Account }[],
): Explanation {
  const total = addUp(accounts.map(({ account }) => ({ account, times: 1 })));
  const { ms, critical, busy, splits } = total;
  const branches = accounts.map(({ name, account }) => branchOf(name, account));
  const roofline = entries((name) => busy[name]);
  return {
    ms,
    bound: longestHeld(new Map(RESOURCES.map((name) => [name, critical[name]]))),
    splits,
    tree: { ...shown(branches.length === 1 ? branches[0] : inOrder('request', branches)), ms },
    critical: entries((name) => critical[name]),
    roofline,
    busiest: roofline[0].resource,
    efficiency: roofline[0].ms / ms,
  };
}

function branchOf(name: string, { parts }: Account): HeldNode {
  const leaf = ({ name, ms, held }: AccountPart, shown: string = name): HeldNode => ({
    name: shown,
    ms,
    held,
    children: [],
  });
  const groups: HeldNode[] = [];
  const rest = new Set(parts);
  for (const place of PLACES) {
    const families = FAMILIES.flatMap((family) => {
      const own = parts.filter(({ name }) => {
        const [at, label] = name.split(' ');
        return at === place && FAMILY_OF[label as OpLabel] === family;
      });
      for (const part of own) rest.delete(part);
      const leaves = own.map((part) => leaf(part, part.name.slice(place.length + 1)));
      return own.length === 0 ? [] : [sum(family, leaves)];
    });
    if (families.length > 0) groups.push(sum(place, families));
  }
  const isHost = ({ name }: AccountPart): boolean => HOST_PARTS.some((part) => part === name);
  for (const [group, own] of [
    ['host', [...rest].filter(isHost)],
    ['memory', [...rest].filter((part) => !isHost(part))],
  ] as const) {
    if (own.length > 0)
      groups.push(
        sum(
          group,
          own.map((part) => leaf(part)),
        ),
      );
  }
  return sum(name, groups);
}

/** A node with its time by the resource that held it up. */
interface HeldNode {
  readonly name: string;
  readonly ms: number;
  readonly held: ReadonlyMap<ResourceName, number>;
  readonly children: readonly HeldNode[];
}

function sum(name: string, children: readonly HeldNode[]): HeldNode {
  return inOrder(
    name,
    [...children].sort((a, b) => b.ms - a.ms),
  );
}

function inOrder(name: string, children: readonly HeldNode[]): HeldNode {
  const held = new Map<ResourceName, number>();
  for (const child of children)
    for (const [resource, ms] of child.held) held.set(resource, (held.get(resource) ?? 0) + ms);
  return {
    name,
    ms: children.reduce((total, child) => total + child.ms, 0),
    held,
    children,
  };
}

function shown({ name, ms, held, children }: HeldNode): TimeNode {
  return { name, ms, bound: longestHeld(held), children: children.map(shown) };
}

function entries(ms: (name: ResourceName) => number): RooflineEntry[] {
  return RESOURCES.map((resource) => ({ resource, ms: ms(resource) }))
    .filter((entry) => entry.ms > 0)
    .sort((a, b) => b.ms - a.ms);
}
