import { DataError } from '../../src/errors.js';
import { readLog } from './log-text.js';
import { type ProfileLog, parseProfileLog } from './profile-log.js';
import { parseSessionLog, refusalOf, type SessionLog } from './session-log.js';

/**
 * Profile and session out of a log that a llama.cpp tool wrote elsewhere.
 * @throws DataError when there is no profile, with the reason that the log itself gives; EnvironmentError when the file
 *   cannot be read
 */
export function readProfile(path: string): { profile: ProfileLog; session: SessionLog } {
  const text = readLog(path);
  const session = parseSessionLog(text);
  const profile = parseProfileLog(text);
  if (profile !== null && profile.ops.length === 0)
    throw new DataError(`${path} has batches, and no line of an operator: the log was filtered or cut`);
  if (profile !== null) return { profile, session };
  const refusal = refusalOf(session);
  throw new DataError(
    refusal === null
      ? `${path} has no profile of the Hexagon backend: run the tool with GGML_HEXAGON_PROFILE=1 and -v`
      : `${path} has no profile, for nothing ran on the NPU: ${refusal.said}${refusal.next === null ? '' : `. ${refusal.next}`}`,
  );
}
