/**
 * Decode with a diffusion language model, and time every step on a modelled phone.
 *
 * @packageDocumentation
 */
export type {
  CommittedToken,
  DecodeAnswer,
  DecodeRequest,
  DecodeStep,
} from './experiments/library/decode.js';
export { decode } from './experiments/library/decode.js';
export type { MachineDescription, MachineRequest } from './experiments/library/machine.js';
export { machine } from './experiments/library/machine.js';
export type { EngineChoice, Model } from './experiments/library/model.js';
export { loadModel } from './experiments/library/model.js';
export type { PolicyChanges } from './experiments/library/policy.js';
export { policy } from './experiments/library/policy.js';
export type { Run } from './experiments/library/run.js';
export type { DecodeCounters } from './src/decode/method/counters.js';
export type { DecodeResult, RemainingVisible } from './src/decode/method/session.js';
export type { EngineName, EngineSettings } from './src/engine/registry.js';
export { CheckError, DataError, DllmError, EnvironmentError, UsageError } from './src/errors.js';
export type { Message } from './src/model/chat-template.js';
export type { ModelConfig } from './src/model/config.js';
export type { Tokenizer } from './src/model/tokenizer.js';
