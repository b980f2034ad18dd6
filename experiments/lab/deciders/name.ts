import { UsageError } from '../../../src/errors.js';

/** The confidence process as it was fitted, without a shift to a task. */
export const PAPER_PROFILE = 'paper';

/** Cases of a model in the ladder and in every study that names no number: where they speak of the same thing, they have the same. */
export const MODEL_CASES = 12;

/** Forms of a decider's name, for help texts. */
export const DECIDER_FORMS =
  'a model (tiny-llada), MODEL:hard (the harder setting of its task), trace:FILE_OR_DIRECTORY, synthetic, synthetic:PROFILE or synthetic:FILE.json, each with ,prompt=TOKENS';

/** What a decider's name says. */
export type DeciderName =
  | { readonly kind: 'model'; readonly model: string; readonly set: 'long' | 'hard' }
  | { readonly kind: 'trace'; readonly path: string }
  | { readonly kind: 'synthetic'; readonly profile: string; readonly promptTokens?: number };

/** Behind the name of a model: its problems are larger than those it was trained on. */
const HARD = ':hard';

/** @throws UsageError for an unknown option of the confidence process */
export function parseDecider(name: string): DeciderName {
  const colon = name.indexOf(':');
  const [kind, rest] = colon < 0 ? [name, ''] : [name.slice(0, colon), name.slice(colon + 1)];
  if (kind === 'trace') return { kind, path: rest };
  if (kind !== 'synthetic') {
    return name.endsWith(HARD)
      ? { kind: 'model', model: name.slice(0, -HARD.length), set: 'hard' }
      : { kind: 'model', model: name, set: 'long' };
  }
  const [profile = '', prompt] = rest.split(',');
  return {
    kind,
    profile: profile === '' ? PAPER_PROFILE : profile,
    promptTokens: prompt === undefined ? undefined : promptTokensOf(prompt),
  };
}

function promptTokensOf(option: string): number {
  const tokens = /^prompt=([1-9]\d*)$/.exec(option)?.[1];
  if (tokens !== undefined) return Number(tokens);
  throw new UsageError(`unknown option "${option}" of the synthetic workload: prompt=TOKENS is the only one`);
}

/** The model of a decider: its name without what follows it. */
export function modelOf(decider: string): string {
  const parsed = parseDecider(decider);
  return parsed.kind === 'model' ? parsed.model : decider;
}
