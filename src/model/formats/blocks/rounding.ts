/** ggml's nearest_int: to the nearest, ties to even, by f32 addition of 1.5 * 2^23. */
export function nearestInt(value: number): number {
  return Math.fround(value + 12582912) - 12582912;
}

/**
 * 1 / scale in f32; 0 for a scale of 0 or one so small that its inverse overflows. The scale is then stored as 0 and
 * the values read back as 0; only in such blocks may the bytes differ from ggml's, which divides and gets NaN.
 */
export function invert(scale: number): number {
  const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
  return Number.isFinite(inverse) ? inverse : 0;
}

/** The first value of largest magnitude of a block, with its sign; 0 where all are 0. */
export function extremeOf(values: Float32Array, start: number, count: number): number {
  let extreme = 0;
  for (let i = start; i < start + count; i++) {
    if (Math.abs(values[i]) > Math.abs(extreme)) extreme = values[i];
  }
  return extreme;
}

/** Least and greatest value of a block. */
export function rangeOf(values: Float32Array, start: number, count: number): readonly [number, number] {
  let [least, greatest] = [values[start], values[start]];
  for (let i = start + 1; i < start + count; i++) {
    if (values[i] < least) least = values[i];
    if (values[i] > greatest) greatest = values[i];
  }
  return [least, greatest];
}
