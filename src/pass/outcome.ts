import { CheckError } from '../errors.js';
import type { Pass, PassOutcome } from './pass.js';

/** Outcomes that must exist for the rows of a pass. @throws CheckError */
export function checkOutcome(pass: Pass, outcome: PassOutcome): void {
  const wanted = pass.logits.map((row) => pass.rows[row].position);
  const given = outcome.rows.map((row) => row.position);
  if (outcome.passId !== pass.id || given.length !== wanted.length || given.some((p, i) => p !== wanted[i])) {
    throw new CheckError(
      `outcome of pass ${outcome.passId} does not match the rows that pass ${pass.id} asked for`,
    );
  }
}
