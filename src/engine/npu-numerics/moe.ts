import { roundToF16 } from '../../model/formats/f16-round.js';
import type { MoeOp } from '../../model/graph.js';
import { groupRouting } from '../group-routing.js';
import { product } from './product.js';
import { gated } from './swiglu.js';

/** Matrices of an expert as F16 operands: gate and up [expertFfn, width], down [width, expertFfn]. */
export type ExpertOperands = Readonly<Record<'gate' | 'up' | 'down', (expert: number) => Float32Array>>;

const { fround } = Math;

/**
 * @param bias that chooses, under group routing
 *
 * Routed experts: router probabilities in F32 on the vector unit, the rows of an expert as one product on the matrix
 * unit with F16 write-outs, and the weighted sum in F32 in the order of the experts.
 */
export function routeExperts(
  op: MoeOp,
  x: Float32Array,
  router: Float32Array,
  experts: ExpertOperands,
  bias?: Float32Array,
): Float32Array {
  const { rows, width, expertFfn } = op;
  const out = new Float32Array(rows * width);
  const shares = Array.from({ length: rows }, (_, row) =>
    selected(router.subarray(row * op.experts, (row + 1) * op.experts), op, bias),
  );
  const written = (
    input: Float32Array,
    w: Float32Array,
    count: number,
    outWidth: number,
    inWidth: number,
  ) => {
    const y = product(input, w, count, outWidth, inWidth);
    roundToF16(y);
    return y;
  };
  for (let expert = 0; expert < op.experts; expert++) {
    const mine = shares.flatMap((share, row) => (share.has(expert) ? [row] : []));
    if (mine.length === 0) continue;
    const input = new Float32Array(mine.length * width);
    mine.forEach((row, i) => {
      input.set(x.subarray(row * width, (row + 1) * width), i * width);
    });
    const gate = written(input, experts.gate(expert), mine.length, expertFfn, width);
    const inner = gated(gate, written(input, experts.up(expert), mine.length, expertFfn, width));
    roundToF16(inner);
    const down = written(inner, experts.down(expert), mine.length, width, expertFfn);
    mine.forEach((row, i) => {
      const share = shares[row].get(expert)!;
      for (let c = 0; c < width; c++) {
        out[row * width + c] = out[row * width + c] + fround(down[i * width + c] * share);
      }
    });
  }
  return out;
}

/** The experts of a row with their weights; the lowest of equals first. */
function selected(logits: Float32Array, op: MoeOp, bias?: Float32Array): ReadonlyMap<number, number> {
  if (bias !== undefined) return groupRouting(op, logits, bias);
  const top = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = logits.map((logit) => Math.exp(fround(logit - top)));
  const total = powers.reduce((sum, power) => fround(sum + power), 0);
  const probabilities = powers.map((power) => power / total);
  const best = [...probabilities.keys()]
    .sort((a, b) => probabilities[b] - probabilities[a])
    .slice(0, op.expertsPerToken);
  const kept = op.renormalise ? best.reduce((sum, expert) => fround(sum + probabilities[expert]), 0) : 1;
  return new Map(best.map((expert) => [expert, fround(probabilities[expert] / kept)]));
}
