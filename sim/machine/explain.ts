import type { Machine } from './machine.js';

/** A share of a step's time, with what it consists of. */
export interface TimeNode {
  readonly name: string;
  readonly ms: number;
  /** The resource that held it up longest. */
  readonly bound: string;
  readonly children: readonly TimeNode[];
}

/** The least time each resource could need for the same work, were it the only limit. */
export interface RooflineEntry {
  readonly resource: string;
  readonly ms: number;
}

export interface Explanation {
  readonly step: number;
  readonly tree: TimeNode;
  /** Time on the main path by the resource that held it up; adds up to the step. */
  readonly critical: readonly RooflineEntry[];
  /** Busy time of each resource: no schedule is shorter than the largest. */
  readonly roofline: readonly RooflineEntry[];
  readonly boundBy: string;
  /** Largest busy time over the step's time: 1 would be perfect overlap. */
  readonly efficiency: number;
}

const PLACES = ['NPU', 'CPU', 'GPU'] as const;

/** Operators that belong together in a transformer layer. */
const FAMILIES: readonly { readonly name: string; readonly parts: readonly string[] }[] = [
  { name: 'attention', parts: ['q', 'k', 'v', 'o', 'attention', 'rope'] },
  { name: 'recurrent mixer', parts: ['mixer-in', 'state-mix', 'mixer-out'] },
  { name: 'per-layer input', parts: ['layer-input'] },
  { name: 'feed-forward', parts: ['gate', 'up', 'down', 'swiglu', 'router', 'moe'] },
  { name: 'norms and additions', parts: ['rmsnorm', 'add'] },
  { name: 'embedding and head', parts: ['embed', 'gather-rows', 'head', 'sampling'] },
];

/**
 * Where the time of the last step went: NPU, CPU, driver and memory, then families of operators, then operators.
 * The parts of a node add up to it.
 * @throws Error before the first step
 */
export function explainStep(machine: Machine): Explanation {
  const { step, ms, parts, critical, utilization } = machine.stepBreakdown();
  const boundOf = machine.boundOfParts();
  const leaf = (full: string, name: string, spent: number): TimeNode => ({
    name,
    ms: spent,
    bound: boundOf.get(full) ?? 'driver',
    children: [],
  });
  const groups: TimeNode[] = [];
  const rest = new Set(parts);
  for (const place of PLACES) {
    const families = FAMILIES.flatMap(({ name, parts: members }) => {
      const own = parts.filter((part) => members.some((member) => part.name === `${place} ${member}`));
      for (const part of own) rest.delete(part);
      return own.length === 0
        ? []
        : [
            sum(
              name,
              own.map((p) => leaf(p.name, p.name.slice(4), p.ms)),
            ),
          ];
    });
    if (families.length > 0) groups.push(sum(place, families));
  }
  const driver = [...rest].map((part) => leaf(part.name, part.name, part.ms));
  if (driver.length > 0) groups.push(sum('driver and memory', driver));
  const roofline = entries(Object.fromEntries(Object.entries(utilization).map(([k, v]) => [k, v * ms])));
  return {
    step,
    tree: { ...sum('step', groups), ms },
    critical: entries(critical),
    roofline,
    boundBy: roofline[0]?.resource ?? 'none',
    efficiency: (roofline[0]?.ms ?? 0) / ms,
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
function heaviest(children: readonly TimeNode[]): string {
  const byResource = new Map<string, number>();
  for (const { bound, ms } of children) byResource.set(bound, (byResource.get(bound) ?? 0) + ms);
  return [...byResource].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'none';
}

function entries(times: Readonly<Record<string, number>>): RooflineEntry[] {
  return Object.entries(times)
    .filter(([, ms]) => ms > 0)
    .map(([resource, ms]) => ({ resource, ms }))
    .sort((a, b) => b.ms - a.ms);
}
