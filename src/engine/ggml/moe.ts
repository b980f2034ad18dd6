import type { MoeOp } from '../../model/graph.js';
import type { GroupRouting } from '../../model/model-shape.js';
import type { GgmlApi, Pointer } from './api.js';

interface Experts {
  readonly x: Pointer;
  /** Logits of the router, [experts, rows]. */
  readonly router: Pointer;
  /** Stacks of matrices. */
  readonly gate: Pointer;
  readonly up: Pointer;
  readonly down: Pointer;
  /** Of group routing: what is added to the scores that choose. */
  readonly bias?: Pointer;
}

const F32_BYTES = 4;

/**
 * Each row is the sum of its best experts, weighted by their router probabilities, or under group routing by their scores,
 * renormalised to 1 if the model does so. Only the experts that a row chose are multiplied by (ggml_mul_mat_id).
 */
export function routeExperts(
  api: GgmlApi,
  context: Pointer,
  op: MoeOp,
  { x, router, gate, up, down, bias }: Experts,
): Pointer {
  const { width, rows, experts, expertsPerToken: chosen, renormalise, grouped } = op;
  const probabilities =
    grouped === undefined ? api.ggml_soft_max(context, router) : api.ggml_sigmoid(context, router);
  const candidates =
    grouped === undefined || bias === undefined
      ? probabilities
      : inBestGroups(api, context, op, grouped, api.ggml_add(context, probabilities, bias));
  const best = api.ggml_argsort_top_k(context, candidates, chosen);
  const column = api.ggml_reshape_3d(context, probabilities, 1, experts, rows);
  let shares = api.ggml_get_rows(context, column, best);
  if (renormalise) {
    const flat = api.ggml_reshape_2d(context, shares, chosen, rows);
    const whole = api.ggml_div(context, flat, api.ggml_sum_rows(context, flat));
    shares = api.ggml_reshape_3d(context, whole, 1, chosen, rows);
  }
  if (grouped !== undefined) shares = api.ggml_scale_bias(context, shares, grouped.expertScale, 0);
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

/** A score that no expert of an open group falls to. */
const CLOSED = -1e30;

/** Biased scores [experts, rows], those outside the best groups out of reach: see `GroupRouting`. */
function inBestGroups(
  api: GgmlApi,
  context: Pointer,
  { rows, experts }: MoeOp,
  { groups, groupsPerToken }: GroupRouting,
  biased: Pointer,
): Pointer {
  const size = experts / groups;
  const each = api.ggml_reshape_2d(context, biased, size, groups * rows);
  const two = api.ggml_argsort_top_k(context, each, 2);
  const column = api.ggml_reshape_3d(context, biased, 1, size, groups * rows);
  const values = api.ggml_reshape_2d(context, api.ggml_get_rows(context, column, two), 2, groups * rows);
  const worth = api.ggml_reshape_2d(context, api.ggml_sum_rows(context, values), groups, rows);
  const open = api.ggml_argsort_top_k(context, worth, groupsPerToken);
  const byGroup = api.ggml_reshape_3d(context, biased, size, groups, rows);
  const closed = api.ggml_scale_bias(context, byGroup, 0, CLOSED);
  const kept = api.ggml_set_rows(context, closed, api.ggml_get_rows(context, byGroup, open), open);
  return api.ggml_reshape_2d(context, kept, experts, rows);
}
