import { DeviceError } from '../device-error.js';
import { type DeviceRecord, writeDeviceRecord } from '../record/device-record.js';
import type { RunSession } from './run-session.js';

/**
 * Uses a session to its end and writes what ran. A refusal, a crash or a hang is a result as well: its record says of
 * what, and with which libraries.
 * @param path of the record
 */
export async function recorded<Session extends RunSession, T>(
  session: Session,
  path: string,
  use: (session: Session) => Promise<T>,
  signal?: AbortSignal,
): Promise<{ readonly result: T; readonly record: DeviceRecord }> {
  let result: T;
  try {
    result = await use(session);
  } catch (error) {
    const failed = await session.finish(error instanceof DeviceError ? error.failure : null);
    // Ctrl-C at a terminal ends the host process too: that is no failure of the device.
    if (error instanceof DeviceError && !signal?.aborted) writeDeviceRecord(path, failed);
    throw error;
  }
  const record = await session.finish();
  writeDeviceRecord(path, record);
  return { result, record };
}
