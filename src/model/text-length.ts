/** Tokens before the first end token; all of them where there is none. */
export function textLength(tokens: readonly number[], endIds: readonly number[]): number {
  const end = tokens.findIndex((token) => endIds.includes(token));
  return end < 0 ? tokens.length : end;
}
