/**
 * Decoding methods as data: the named policies, their schema, and what each gives up.
 *
 * @packageDocumentation
 */
export type { PolicyChanges } from './experiments/library/policy.js';
export { policy } from './experiments/library/policy.js';
export type {
  AcceptedGroup,
  ApplyResult,
  Canvas,
  Draft,
  DroppedRefresh,
  KvEntry,
  Policy,
  Position,
  Range,
  RefreshTarget,
  RefreshTicket,
  StartExtra,
  TokenState,
  Transition,
  TransitionReason,
} from './src/decode/canvas/types.js';
export type { DecodingPolicy, PolicyInputs } from './src/decode/method/compose.js';
export { composePolicy } from './src/decode/method/compose.js';
export { describeGivenUp } from './src/decode/parts.js';
export { ALL_POLICY_SPECS } from './src/decode/policies.js';
export type { PolicySpec, PolicySpecInput } from './src/decode/spec.js';
export { parsePolicySpec, policyJsonSchema } from './src/decode/spec.js';
export type {
  GroupedVisibility,
  KvRef,
  Pass,
  PassKind,
  PassOutcome,
  PassRow,
  RowGroup,
  RowOutcome,
  RowVisibility,
  StepPlan,
  Visibility,
} from './src/pass/pass.js';
