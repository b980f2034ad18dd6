import { scoreRow } from '../../../src/decode/rules/score-row.js';
import type { KvRef, PassKind } from '../../../src/pass/pass.js';
import { TOY_MASK, TOY_VOCAB, type ToyEngine } from './toy-engine.js';

/** How a block is cut into steps: LLaDA's quotas or Fast-dLLM's threshold. */
export type ReferenceRule = { readonly steps: number } | { readonly tau: number };

/**
 * The published loops written down plainly, with nothing of src/decode but the confidence formula: LLaDA's `generate`
 * (whole canvas every step) and, with `cached`, block-wise decoding on prefix KV with one pass per finished block.
 */
export async function referenceGenerate(
  engine: ToyEngine,
  prompt: readonly number[],
  genLength: number,
  blockLength: number,
  rule: ReferenceRule,
  cached: boolean,
): Promise<number[]> {
  const x = [...prompt, ...Array.from({ length: genLength }, () => TOY_MASK)];
  let version = 0;
  let reads: KvRef[] = [];

  const forward = async (kind: PassKind, first: number, end: number) => {
    version++;
    const rows = x.slice(first, end).map((feed, index) => ({ position: first + index, feed }));
    const logits = kind === 'denoise' ? rows.map((_, index) => index) : [];
    const pass = {
      id: `${version}`,
      kind,
      lane: 'main',
      version,
      rows,
      reads,
      visibility: 'all',
      logits,
    } as const;
    const result = await engine.run(pass);
    return logits.map((index) => scoreRow(result.logits, index, TOY_VOCAB, TOY_MASK));
  };
  const store = async (kind: PassKind, first: number, end: number) => {
    await forward(kind, first, end);
    for (let position = first; position < end; position++) reads = [...reads, { position, version }];
  };

  if (cached) await store('prefill', 0, prompt.length);
  for (let start = prompt.length; start < x.length; start += blockLength) {
    const end = start + blockLength;
    for (let step = 0; x.slice(start, end).includes(TOY_MASK); step++) {
      const first = cached ? start : 0;
      const scores = await forward('denoise', first, cached ? end : x.length);
      const masked = scores
        .map((score, index) => ({ ...score, position: first + index }))
        .filter(({ position }) => position >= start && position < end && x[position] === TOY_MASK)
        .sort((a, b) => b.confidence - a.confidence || a.position - b.position);
      const due =
        'tau' in rule
          ? Math.max(1, masked.filter(({ confidence }) => confidence >= rule.tau).length)
          : Math.floor(blockLength / rule.steps) + (step < blockLength % rule.steps ? 1 : 0);
      for (const { position, token } of masked.slice(0, due)) x[position] = token;
    }
    if (cached && end < x.length) await store('seal', start, end);
  }
  return x.slice(prompt.length);
}
