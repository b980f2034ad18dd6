import { UsageError } from '../../src/errors.js';
import type { SoftwareStack } from '../stacks/stack.js';
import type { SingleSpec } from './lowered.js';

const WITHOUT_NPU = [
  'all-cpu',
  'embedding-cpu-rest-gpu',
] as const satisfies readonly SoftwareStack['placement'][];

/**
 * An operator is timed on the NPU only where the stack could run it there.
 * @throws UsageError that says where it runs instead
 */
export function checkOnNpu(spec: SingleSpec, { name, placement, supports }: SoftwareStack): void {
  if (WITHOUT_NPU.some((without) => without === placement)) {
    throw new UsageError(`stack ${name} runs nothing on an NPU: \`simulate kernel\` times operators of one`);
  }
  if (!supports) return;
  const onCpu = (what: string): UsageError =>
    new UsageError(`stack ${name} does not take ${what} on the NPU: it runs on the CPU`);
  if (spec.kind === 'attention' && !supports.attention) throw onCpu('attention');
  if (spec.kind !== 'product' && spec.kind !== 'routed-product') return;
  if (!supports.weights.includes(spec.weights)) throw onCpu(`a product with ${spec.weights} weights`);
  const columns = spec.kind === 'product' ? Math.max(...spec.outWidths) : spec.outWidth;
  if (supports.maxWeightRows !== null && columns > supports.maxWeightRows)
    throw onCpu(`a weight of ${columns} rows`);
}
