/** A straight line through points, y = intercept + slope x, with standard errors. */
export interface Line {
  readonly intercept: number;
  readonly slope: number;
  readonly interceptError: number;
  readonly slopeError: number;
  readonly n: number;
}

/** Ordinary least squares. Null with fewer than three points or a single x: nothing tells the two apart then. */
export function fitLine(points: readonly { readonly x: number; readonly y: number }[]): Line | null {
  const n = points.length;
  const mean = (pick: (point: { x: number; y: number }) => number): number =>
    points.reduce((sum, point) => sum + pick(point), 0) / n;
  const [meanX, meanY] = [mean(({ x }) => x), mean(({ y }) => y)];
  const spread = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (n < 3 || spread === 0) return null;
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
  const intercept = meanY - slope * meanX;
  const rest = points.reduce((sum, { x, y }) => sum + (y - intercept - slope * x) ** 2, 0);
  const variance = rest / (n - 2);
  return {
    intercept,
    slope,
    n,
    interceptError: Math.sqrt(variance * (1 / n + meanX ** 2 / spread)),
    slopeError: Math.sqrt(variance / spread),
  };
}

/** Slope of a line through the origin, with its relative standard error. Null without points. */
export function fitRatio(
  points: readonly { readonly x: number; readonly y: number }[],
): { readonly slope: number; readonly error: number; readonly n: number } | null {
  const n = points.length;
  const squares = points.reduce((sum, { x }) => sum + x * x, 0);
  if (n === 0 || squares === 0) return null;
  const slope = points.reduce((sum, { x, y }) => sum + x * y, 0) / squares;
  const rest = points.reduce((sum, { x, y }) => sum + (y - slope * x) ** 2, 0);
  return { slope, n, error: Math.sqrt(rest / Math.max(1, n - 1) / squares) / Math.abs(slope) };
}
