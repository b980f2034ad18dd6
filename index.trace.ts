/**
 * Recorded decodes: read, write, check the laws, time again on another machine.
 *
 * @packageDocumentation
 */

export { describeViolation } from './src/decode/laws/check.js';
export type { Clause, Law, Violation } from './src/decode/laws/law.js';
export type { DraftWrite, StepRecord } from './src/decode/method/step-record.js';
export type { Carpet, CarpetColumn, CarpetMark, Revision } from './src/decode/trace/carpet.js';
export { carpetOfTrace } from './src/decode/trace/carpet.js';
export type { TraceHeader } from './src/decode/trace/schema.js';
export type { Replay, Trace } from './src/decode/trace/trace.js';
export {
  checkTrace,
  formatTrace,
  parseTrace,
  readTrace,
  replayTrace,
  writeTrace,
} from './src/decode/trace/trace.js';
