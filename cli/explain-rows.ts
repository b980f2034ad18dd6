import { bound, type OpClass, type Roof } from '../experiments/figures/roofline.js';
import type { TimeNode } from '../sim/machine/explain.js';
import { apportioned } from '../src/util/apportion.js';

/** The least time of an operator under the roofs, every operand once from DRAM. */
export interface OperatorRoof {
  readonly unit: OpClass['unit'];
  readonly name: string;
  readonly operations: number;
  readonly bytes: number;
  readonly ms: number;
  readonly roofMs: number;
}

export function operatorBounds({
  roofs,
  classes,
}: {
  readonly roofs: readonly Roof[];
  readonly classes: readonly OpClass[];
}): OperatorRoof[] {
  return classes.map(({ unit, name, operations, bytes, seconds }) => ({
    unit,
    name,
    operations,
    bytes,
    ms: seconds * 1000,
    roofMs: (operations / bound(roofs, unit, operations / bytes)) * 1000,
  }));
}

const DECIMALS = 1;

/**
 * Rows of a tree of times. Every number shown is the sum of those below it; parts that show as 0 are left out.
 * @param operators roofs to put beside the leaves; null for work of many passes
 */
export function treeRows(tree: TimeNode, operators: readonly OperatorRoof[] | null): string[][] {
  const rows: string[][] = [];
  const add = (node: TimeNode, ms: number, depth: number, unit: string): void => {
    const roof = operators?.find((each) => each.unit === unit && each.name === node.name);
    const leaf = node.children.length === 0;
    const beside =
      roof === undefined || !leaf ? ['', ''] : [roof.roofMs.toFixed(1), percent(roof.roofMs / node.ms)];
    rows.push([
      '  '.repeat(depth) + node.name,
      ms.toFixed(DECIMALS),
      percent(node.ms / tree.ms),
      node.bound,
      ...(operators === null ? [] : beside),
    ]);
    const shown = apportioned(
      node.children.map((child) => child.ms),
      ms,
      DECIMALS,
    );
    for (const [i, child] of node.children.entries())
      if (shown[i] > 0) add(child, shown[i], depth + 1, depth === 0 ? child.name : unit);
  };
  add(tree, Number(tree.ms.toFixed(DECIMALS)), 0, '');
  return rows;
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
