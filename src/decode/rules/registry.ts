import { CACHES } from './cache/registry.js';
import { COMMITS } from './commit/registry.js';
import { CONFIDENCES } from './confidence/registry.js';
import type { Kind } from './definition.js';
import { FINALS } from './final/registry.js';
import { LOGITS } from './logits/registry.js';
import { REFRESHES } from './refresh/registry.js';
import { REVOCATIONS } from './revoke/registry.js';
import { SAMPLINGS } from './sampling/registry.js';
import { SPECULATIONS } from './speculate/registry.js';
import { WINDOWS } from './window/registry.js';

/** Every rule there is, by kind and name: what the schema, the checks and the law tests are made of. */
export const RULES = {
  window: WINDOWS,
  cache: CACHES,
  commit: COMMITS,
  speculate: SPECULATIONS,
  revoke: REVOCATIONS,
  refresh: REFRESHES,
  final: FINALS,
  sampling: SAMPLINGS,
  logits: LOGITS,
  confidence: CONFIDENCES,
} satisfies Record<Kind, object>;
