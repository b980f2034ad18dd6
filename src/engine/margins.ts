import type { Engine } from './engine.js';

/** Logit margins of a decode: by pass id, best minus second best logit of every row that got logits. */
export type Margins = ReadonlyMap<string, readonly number[]>;

/**
 * An engine that notes how close every decision was. The mask token is left out, as it is never chosen.
 * Pass ids repeat from one decode to the next: use one recorder per decode.
 */
export function recordMargins(engine: Engine): { readonly engine: Engine; readonly margins: Margins } {
  const margins = new Map<string, number[]>();
  const { vocab, maskId } = engine.config;
  return {
    margins,
    engine: {
      name: engine.name,
      config: engine.config,
      run: async (pass) => {
        const result = await engine.run(pass);
        const ofRow = (_: number, row: number) => marginOf(result.logits, row, vocab, maskId);
        margins.set(pass.id, pass.logits.map(ofRow));
        return result;
      },
      retain: (live) => engine.retain(live),
      readKv: (ref) => engine.readKv(ref),
      dispose: () => engine.dispose(),
    },
  };
}

function marginOf(logits: Float32Array, row: number, vocab: number, maskId: number | null): number {
  let best = Number.NEGATIVE_INFINITY;
  let second = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < vocab; id++) {
    if (id === maskId) continue;
    const value = logits[row * vocab + id]!;
    if (value > best) {
      second = best;
      best = value;
    } else second = Math.max(second, value);
  }
  return best - second;
}
