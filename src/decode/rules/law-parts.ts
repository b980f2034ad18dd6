/** Parts of laws that a method may give up by design, each by the rule that cannot keep it. */
export const LAW_PARTS = {
  'B1-one-block': 'tokens are given in later blocks while an earlier one still has masks',
  'B1-edits': 'a block without masks stays open while its tokens may change',
  'D1-kv': 'the KV of a stable position is computed anew now and then (its token stays)',
  'D2-exact-kv': 'long-term KV may stem from a row that was not fed the final token',
  'B2-masked-kv': 'KV of undecided positions, computed from masks, is cached and read (and D2 with it)',
  'B3-fresh-logits': 'a draft may be accepted on the logits of an earlier step',
  'V-context': 'a visible position may be fed the mask',
  'D4-every-step': 'a single step may end with as many masks as it began, or more',
} as const;

export type LawPart = keyof typeof LAW_PARTS;

export interface GivenUp {
  readonly part: LawPart;
  readonly because: string;
}
