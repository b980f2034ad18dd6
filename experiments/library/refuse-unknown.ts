import { unknownName } from '../../src/util/nearest.js';

/**
 * For callers without types: a key that nothing reads is a mistake, not a wish.
 * @throws UsageError with the nearest key
 */
export function refuseUnknown(kind: string, given: object, known: Readonly<Record<string, true>>): void {
  for (const key of Object.keys(given))
    if (!Object.hasOwn(known, key)) throw unknownName(kind, key, Object.keys(known));
}
