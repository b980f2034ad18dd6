import { UsageError } from '../../src/errors.js';
import type { SoftwareStack } from '../stacks/stack.js';
import { takesFormats } from './half-operators.js';
import type { KernelSpec } from './spec.js';

const WITHOUT_NPU = [
  'all-cpu',
  'embedding-cpu-rest-gpu',
] as const satisfies readonly SoftwareStack['placement'][];

/** @throws UsageError for a stack that has no NPU */
export function checkHasNpu({ name, placement }: SoftwareStack): void {
  if (WITHOUT_NPU.some((without) => without === placement))
    throw new UsageError(`stack ${name} runs nothing on an NPU: \`simulate kernel\` times operators of one`);
}

/**
 * Whether the stack runs an operator on the NPU. A measurement of an operator says itself that it ran there, whatever the date
 * of the stack that it is timed as; a user who asks for one would be told a time of something that does not happen.
 * @throws UsageError that says where it runs instead
 */
export function checkOnNpu(spec: KernelSpec, stack: SoftwareStack): void {
  const { name, supports } = stack;
  if (!supports) return;
  const onCpu = (what: string): UsageError =>
    new UsageError(`stack ${name} does not take ${what} on the NPU: it runs on the CPU`);
  if (spec.kind === 'attention' && !supports.attention) throw onCpu('attention');
  if (spec.kind === 'rows' && !takesFormats(spec, stack))
    throw onCpu(`${spec.operator} from ${spec.input ?? 'f32'} to ${spec.result ?? 'f32'}`);
  if (!('weights' in spec)) return;
  if (!supports.weights.includes(spec.weights)) throw onCpu(`a product with ${spec.weights} weights`);
  if (spec.kind === 'layer-products') return;
  const columns = spec.kind === 'product' ? Math.max(...spec.outWidths) : spec.outWidth;
  if (supports.maxWeightRows !== null && columns > supports.maxWeightRows)
    throw onCpu(`a weight of ${columns} rows`);
}
