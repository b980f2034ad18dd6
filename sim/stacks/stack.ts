import { UsageError } from '../../src/errors.js';
import { unknownName } from '../../src/util/nearest.js';
import { type Quantity, toQuantity } from '../hardware/quantity.js';
import { STACK_NUMBER_NAMES, STACK_NUMBERS, type StackNumber, type StackNumbers } from './numbers.js';
import type { StackChoices } from './schema.js';

/**
 * How software turns a graph into work on a chip: what runs where, how it is tiled, what is decoded again, how
 * it is dispatched. The same chip differs several times between stacks. Data only: `behaviours.ts` has the code that
 * some choices name.
 */
export interface SoftwareStack extends Readonly<StackChoices> {
  /** As in the list of stacks. */
  readonly name: string;
  /** One line. */
  readonly description: string;
  /** What it stands for, with sources. */
  readonly about?: string;
  /** In base units. */
  readonly numbers: StackNumbers;
  /** Where each number comes from. */
  readonly provenance: Readonly<Record<StackNumber, Quantity>>;
}

/** The values of quantities. */
export function valuesOf(provenance: Readonly<Record<StackNumber, Quantity>>): StackNumbers {
  const numbers = {} as Record<StackNumber, number>;
  for (const name of STACK_NUMBER_NAMES) numbers[name] = provenance[name].value;
  return numbers;
}

/**
 * A copy of a stack with some numbers replaced, for sweeps. Replaced numbers become `assumed` with source
 * `override`.
 * @param overrides name to text, with unit where it has one, e.g. `{ headSpeedup: '4', slotBytes: '128 MiB' }`
 * @throws UsageError for an unknown name or a value of the wrong dimension
 */
export function overrideStack(
  stack: SoftwareStack,
  overrides: Readonly<Record<string, string>>,
): SoftwareStack {
  if (Object.keys(overrides).length === 0) return stack;
  const provenance = { ...stack.provenance };
  const numbers: Record<StackNumber, number> = { ...stack.numbers };
  for (const [asked, text] of Object.entries(overrides)) {
    const name = STACK_NUMBER_NAMES.find((known) => known === asked);
    if (name === undefined) throw unknownName('stack number', asked, STACK_NUMBER_NAMES);
    try {
      const entry = {
        value: text,
        kind: 'assumed' as const,
        source: 'override',
        range: [text, text] as [string, string],
      };
      provenance[name] = toQuantity(entry, STACK_NUMBERS[name].dimension);
      numbers[name] = provenance[name].value;
    } catch (error) {
      throw new UsageError(`${asked}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { ...stack, numbers, provenance };
}
