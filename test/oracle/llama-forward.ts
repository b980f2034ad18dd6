import type { ModelConfig } from '../../src/model/config.js';
import type { LlamaModel } from './libllama.js';
import type { Forward, PlainKey, PlainRow } from './plain-model.js';

/**
 * llama.cpp as the forward of the plain loops. It knows two masks, of its own making: every row sees every row, or each
 * sees what is left of it; nothing that was computed on other sights than these can be asked of it.
 */
export class LlamaForward implements Forward {
  constructor(
    readonly config: ModelConfig,
    private readonly model: LlamaModel,
  ) {}

  run(
    rows: readonly PlainRow[],
    sees: (row: PlainRow, other: PlainRow) => boolean,
  ): { readonly keys: PlainKey[]; readonly logits: readonly (readonly number[])[] } {
    const causal = this.config.attention === 'causal';
    const [{ cached }] = rows;
    const text = [...cached, ...rows];
    const refuse = (what: string): never => {
      throw new Error(`llama.cpp cannot be asked: ${what}`);
    };
    if (!causal && cached.length > 0) refuse('rows that see both ways beside rows that did not see them');
    if (rows.some((row) => row.cached.length !== cached.length))
      refuse('rows that see different cached rows');
    if (text.some(({ position }, at) => position !== at)) refuse('rows of a text with gaps');
    for (const row of rows)
      for (const other of rows)
        if (sees(row, other) !== (!causal || other.position <= row.position))
          refuse('a mask of another kind');
    const { vocab } = this.model;
    const logits = this.model.logits(text.map(({ feed }) => feed));
    return {
      keys: rows.map(({ position, feed }) => ({ position, feed, k: [], v: [] })),
      logits: rows.map((_, at) => [
        ...logits.subarray((cached.length + at) * vocab, (cached.length + at + 1) * vocab),
      ]),
    };
  }
}
