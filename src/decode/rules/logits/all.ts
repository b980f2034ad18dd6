import { defineNamed, nothing, plain } from '../definition.js';

/** Every row of the pass gets logits; in a full canvas the prompt rows too, as in the published baselines. */
export const all = defineNamed('logits', {
  facts: () => null,
  rule: () => ({ wants: () => true }),
  contradicts: nothing,
  givesUp: nothing,
  technique: plain,
});
