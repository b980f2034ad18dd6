import { BODY_MIB, BUFFER_MIB, residentInBuffersMib, STAGING_MIB } from './buffers.js';

/** One scale for all budgets, and what it leaves. */
export interface Scaled {
  /** us for a MiB that is charged. */
  readonly usPerMib: number;
  /** At every budget, ms. */
  readonly ms: readonly number[];
  readonly rmsMs: number;
}

/** The scale by least squares: the shape stands, its height is fitted. */
export function fitScale(chargesMib: readonly number[], publishedMs: readonly number[]): Scaled {
  const product = chargesMib.reduce((sum, value, i) => sum + value * publishedMs[i], 0);
  const scale = product / chargesMib.reduce((sum, value) => sum + value * value, 0);
  const ms = chargesMib.map((value) => scale * value);
  const squares = ms.reduce((sum, value, i) => sum + (value - publishedMs[i]) ** 2, 0);
  return { usPerMib: 1000 * scale, ms, rmsMs: Math.sqrt(squares / ms.length) };
}

/**
 * How much less likely the points are under a shape than under the best one, in nats: errors of one unknown size, one scale each.
 */
export function natsBehind(rmsMs: number, bestRmsMs: number, points: number): number {
  return points * Math.log(rmsMs / bestRmsMs);
}

const BUFFERS_MIB = range(256, 1600, 32);
const STAGINGS_MIB = range(0, 992, 32);

/** Every pair of sizes, buffer and staging, with what residents in whole buffers leave, best first. */
export function sizesTried(
  residentMib: readonly number[],
  publishedMs: readonly number[],
): readonly { readonly bufferMib: number; readonly stagingMib: number; readonly rmsMs: number }[] {
  const tried = BUFFERS_MIB.flatMap((bufferMib) =>
    STAGINGS_MIB.map((stagingMib) => {
      const charges = residentMib.map((mib) => BODY_MIB - residentInBuffersMib(mib, bufferMib, stagingMib));
      return { bufferMib, stagingMib, rmsMs: fitScale(charges, publishedMs).rmsMs };
    }),
  );
  return tried.sort((a, b) => a.rmsMs - b.rmsMs);
}

/** Sizes that leave no more than llama.cpp's buffer and the figure's own staging do. */
export function sizesAsGood(tried: ReturnType<typeof sizesTried>): ReturnType<typeof sizesTried> {
  const own = tried.find((each) => each.bufferMib === BUFFER_MIB && each.stagingMib === STAGING_MIB);
  return tried.filter(({ rmsMs }) => own !== undefined && rmsMs <= own.rmsMs * (1 + 1e-9));
}

function range(first: number, last: number, step: number): number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => first + i * step);
}
