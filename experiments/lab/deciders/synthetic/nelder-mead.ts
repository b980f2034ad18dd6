/** Best point found, and its value. */
export interface Minimum {
  readonly point: readonly number[];
  readonly value: number;
  readonly evaluations: number;
}

interface Vertex {
  readonly point: readonly number[];
  readonly value: number;
}

/**
 * Minimum of a noisy-free function without derivatives (J. A. Nelder and R. Mead, The Computer Journal 7, 1965;
 * coefficients 1, 2, 1/2, 1/2).
 *
 * @param steps first simplex: one step along each axis
 * @param budget evaluations to stop after
 */
export async function nelderMead(
  of: (point: readonly number[]) => Promise<number>,
  start: readonly number[],
  steps: readonly number[],
  budget: number,
): Promise<Minimum> {
  let evaluations = 0;
  const at = async (point: readonly number[]): Promise<Vertex> => {
    evaluations++;
    return { point, value: await of(point) };
  };
  const simplex = [await at(start)];
  for (const [axis, step] of steps.entries())
    simplex.push(await at(start.map((x, i) => (i === axis ? x + step : x))));
  const sort = (): void => void simplex.sort((a, b) => a.value - b.value);
  sort();
  while (evaluations < budget) {
    const worst = simplex.at(-1) as Vertex;
    const others = simplex.slice(0, -1);
    const best = others[0] as Vertex;
    const centre = start.map((_, i) => others.reduce((sum, v) => sum + (v.point[i] ?? 0), 0) / others.length);
    const along = (t: number): number[] => centre.map((c, i) => c + t * (c - (worst.point[i] ?? 0)));
    const reflected = await at(along(1));
    let next = reflected;
    if (reflected.value < best.value) {
      const expanded = await at(along(2));
      if (expanded.value < reflected.value) next = expanded;
    } else if (reflected.value >= (others.at(-1) as Vertex).value) {
      const contracted = await at(along(reflected.value < worst.value ? 0.5 : -0.5));
      if (contracted.value < Math.min(worst.value, reflected.value)) next = contracted;
      else {
        for (let i = 1; i < simplex.length; i++) {
          const { point } = simplex[i] as Vertex;
          simplex[i] = await at(best.point.map((x, axis) => (x + (point[axis] ?? 0)) / 2));
        }
        sort();
        continue;
      }
    }
    simplex[simplex.length - 1] = next;
    sort();
  }
  const [first] = simplex as [Vertex];
  return { ...first, evaluations };
}
