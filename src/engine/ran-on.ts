import type { Engine, RanOn } from './engine.js';

/** What an engine runs from now on; the function that is returned says what it was. */
export function watchRanOn(engine: Engine): () => RanOn | null {
  const before = engine.ranOn?.();
  return () => {
    const after = engine.ranOn?.();
    if (before === undefined || after === undefined) return null;
    const onCpu = Object.entries(after.onCpu)
      .map(([name, count]) => [name, count - (before.onCpu[name] ?? 0)] as const)
      .filter(([, count]) => count > 0);
    return {
      device: after.device,
      operators: after.operators - before.operators,
      onCpu: Object.fromEntries(onCpu),
    };
  };
}
