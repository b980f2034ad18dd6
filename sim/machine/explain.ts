import { RESOURCES, type ResourceName } from '../../src/decode/method/timer.js';
import type { Machine } from './machine.js';
import type { OpLabel, PartName, Place } from './parts.js';

/** A share of a step's time, with what it consists of. */
export interface TimeNode {
  readonly name: string;
  readonly ms: number;
  /** The resource that held it up longest. */
  readonly bound: ResourceName;
  readonly children: readonly TimeNode[];
}

/** The least time each resource could need for the same work, were it the only limit. */
export interface RooflineEntry {
  readonly resource: ResourceName;
  readonly ms: number;
}

export interface Explanation {
  readonly step: number;
  readonly tree: TimeNode;
  /** Time on the main path by the resource that held it up; adds up to the step. */
  readonly critical: readonly RooflineEntry[];
  /** Busy time of each resource: no schedule is shorter than the largest. */
  readonly roofline: readonly RooflineEntry[];
  readonly boundBy: ResourceName;
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
 * Where the time of the last step went: NPU, CPU, driver and memory, then families of operators, then operators.
 * The parts of a node add up to it.
 * @throws Error before the first step
 */
export function explainStep(machine: Machine): Explanation {
  const { step, ms, parts, critical, utilization } = machine.stepBreakdown();
  const boundOf = machine.boundOfParts();
  const leaf = (name: PartName, spent: number, shown: string = name): TimeNode => ({
    name: shown,
    ms: spent,
    bound: boundOf.get(name) ?? 'driver',
    children: [],
  });
  const groups: TimeNode[] = [];
  const rest = new Set(parts);
  for (const place of PLACES) {
    const families = FAMILIES.flatMap((family) => {
      const own = parts.filter(({ name }) => {
        const [at, label] = name.split(' ');
        return at === place && FAMILY_OF[label as OpLabel] === family;
      });
      for (const part of own) rest.delete(part);
      const leaves = own.map((part) => leaf(part.name, part.ms, part.name.slice(place.length + 1)));
      return own.length === 0 ? [] : [sum(family, leaves)];
    });
    if (families.length > 0) groups.push(sum(place, families));
  }
  const driver = [...rest].map((part) => leaf(part.name, part.ms));
  if (driver.length > 0) groups.push(sum('driver and memory', driver));
  const roofline = entries((name) => utilization[name] * ms);
  return {
    step,
    tree: { ...sum('step', groups), ms },
    critical: entries((name) => critical[name]),
    roofline,
    boundBy: roofline[0].resource,
    efficiency: roofline[0].ms / ms,
  };
}

function sum(name: string, children: readonly TimeNode[]): TimeNode {
  const sorted = [...children].sort((a, b) => b.ms - a.ms);
  return {
    name,
    ms: children.reduce((total, child) => total + child.ms, 0),
    bound: heaviest(sorted),
    children: sorted,
  };
}

/** The resource that most of the time below is bound by. */
function heaviest(children: readonly TimeNode[]): ResourceName {
  const byResource = new Map<ResourceName, number>();
  for (const { bound, ms } of children) byResource.set(bound, (byResource.get(bound) ?? 0) + ms);
  return [...byResource].sort((a, b) => b[1] - a[1])[0][0];
}

function entries(ms: (name: ResourceName) => number): RooflineEntry[] {
  return RESOURCES.map((resource) => ({ resource, ms: ms(resource) }))
    .filter((entry) => entry.ms > 0)
    .sort((a, b) => b.ms - a.ms);
}
