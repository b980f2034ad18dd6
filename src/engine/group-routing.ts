import type { MoeOp } from '../model/graph.js';

const { fround } = Math;

/**
 * Experts of a row under group routing, with their weights, in f32: see `GroupRouting`. The lowest of equals first.
 * @param logits of the router, one per expert
 * @param bias added to the scores for the choice, one per expert
 * Source: LLaDA2MoeGate of inclusionAI/LLaDA2.0-mini (modeling_llada2_moe.py), which has it of DeepSeek-V3.
 */
export function groupRouting(
  { experts, expertsPerToken, renormalise, grouped }: MoeOp,
  logits: Float32Array,
  bias: Float32Array,
): ReadonlyMap<number, number> {
  if (grouped === undefined) throw new Error('these experts have no groups');
  const { groups, groupsPerToken, expertScale } = grouped;
  const scores = Float32Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));
  const biased = scores.map((score, expert) => score + bias[expert]);
  const size = experts / groups;
  const values = Array.from({ length: groups }, (_, group) => {
    const [first, second] = [...biased.subarray(group * size, (group + 1) * size)].sort((a, b) => b - a);
    return fround(first + second);
  });
  const open = new Set(best(values.keys(), values, groupsPerToken));
  const candidates = [...biased.keys()].filter((expert) => open.has(Math.floor(expert / size)));
  const chosen = best(candidates, biased, expertsPerToken);
  const sum = renormalise ? chosen.reduce((total, expert) => fround(total + scores[expert]), 0) : 1;
  return new Map(chosen.map((expert) => [expert, fround(fround(scores[expert] / sum) * expertScale)]));
}

function best(candidates: Iterable<number>, values: ArrayLike<number>, count: number): number[] {
  return [...candidates].sort((a, b) => values[b] - values[a]).slice(0, count);
}
