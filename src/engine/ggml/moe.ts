import type { MoeOp } from '../../model/graph.js';
import type { GgmlApi, Pointer } from './api.js';

interface Experts {
  readonly x: Pointer;
  /** Logits of the router, [experts, rows]. */
  readonly router: Pointer;
  /** Stacks of matrices. */
  readonly gate: Pointer;
  readonly up: Pointer;
  readonly down: Pointer;
}

const F32_BYTES = 4;

/**
 * Softmax routing: each row is the sum of its best experts, weighted by their router probabilities, renormalised to 1
 * if the model does so. Only the experts that a row chose are multiplied by (ggml_mul_mat_id).
 */
export function routeExperts(
  api: GgmlApi,
  context: Pointer,
  { width, rows, experts, expertsPerToken: chosen, renormalise }: MoeOp,
  { x, router, gate, up, down }: Experts,
): Pointer {
  const probabilities = api.ggml_soft_max(context, router);
  const best = api.ggml_argsort_top_k(context, probabilities, chosen);
  const column = api.ggml_reshape_3d(context, probabilities, 1, experts, rows);
  let shares = api.ggml_get_rows(context, column, best);
  if (renormalise) {
    const flat = api.ggml_reshape_2d(context, shares, chosen, rows);
    const whole = api.ggml_div(context, flat, api.ggml_sum_rows(context, flat));
    shares = api.ggml_reshape_3d(context, whole, 1, chosen, rows);
  }
  const each = api.ggml_reshape_3d(context, x, width, 1, rows);
  const product = (stack: Pointer, of: Pointer) => api.ggml_mul_mat_id(context, stack, of, best);
  const inner = api.ggml_swiglu_split(context, product(gate, each), product(up, each));
  const parts = api.ggml_mul(context, product(down, inner), shares);
  const part = (index: number) =>
    api.ggml_view_2d(context, parts, width, rows, chosen * width * F32_BYTES, index * width * F32_BYTES);
  let sum = part(0);
  for (let index = 1; index < chosen; index++) sum = api.ggml_add(context, sum, part(index));
  // A view cannot be read as a matrix of its own rows by what comes next.
  return chosen === 1 ? api.ggml_reshape_2d(context, parts, width, rows) : sum;
}
