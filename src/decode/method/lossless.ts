import type { PolicySpec } from '../spec.js';

/**
 * The policy without the techniques that promise to change no token (exact speculation, selective logits
 * skipping); null when it uses none of them. Both must give the same tokens.
 */
export function withoutLossless(spec: PolicySpec): PolicySpec | null {
  const exact = spec.speculate.kind === 'exact';
  if (!exact && spec.logits === 'all') return null;
  return {
    ...spec,
    name: `${spec.name} without ${exact ? 'speculation' : 'logits skipping'}`,
    logits: 'all',
    ...(exact ? { speculate: { kind: 'none' } } : {}),
  };
}
