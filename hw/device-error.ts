import { stripVTControlCharacters } from 'node:util';
import { EnvironmentError } from '../src/errors.js';
import type { Failure } from './record/device-record.js';

/**
 * Something that a device, its driver or its libraries refused or did not survive. The message is one line: what
 * happened, then what to do next. `failure` is what a run record keeps of it.
 */
export class DeviceError extends EnvironmentError {
  constructor(
    readonly failure: Failure,
    advice?: string,
  ) {
    const said = `${failure.stage}: ${failure.reason}`;
    super(oneLine(advice === undefined ? said : `${said.replace(/\.$/, '')}. ${advice}`));
  }
}

/** Text on one line, without the colours of a terminal. */
export function oneLine(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\s*\n\s*/g, ' ')
    .trim();
}

/** The last line of what a program said; empty when it said nothing. */
export function lastLine(text: string): string {
  return text.trim().split(/\r?\n/).at(-1) ?? '';
}

/** The last line in which a program complains, else the last of all. */
export function complaint(text: string): string {
  return lastLine(text.split(/\r?\n/).findLast((line) => /error|fail/i.test(line)) ?? text);
}

export function environmentFailure(stage: string, reason: string, advice?: string): DeviceError {
  return new DeviceError({ kind: 'environment', stage, reason }, advice);
}
