import { attacksOnDecisions } from './decisions.js';
import { type Attack, evidenceIn } from './evidence.js';
import { attacksOnMachine } from './machine.js';
import { attacksOnMethod } from './method.js';

/**
 * The attacks and their numbers as a Markdown table, all from reference results but the step at a long context, which is timed.
 * @param reference directory of the reference results
 * @throws CheckError when a result lacks a row; EnvironmentError and DataError as reading the results
 */
export function attacksMarkdown(reference: string): string {
  const line = ({ attack, answer }: Attack): string => `| ${attack} | ${answer} |`;
  return ['| attack | the number |', '|---|---|', ...attacksOn(reference).map(line)].join('\n');
}

/** @throws as `attacksMarkdown` */
export function attacksOn(reference: string): Attack[] {
  const evidence = evidenceIn(reference);
  return [...attacksOnDecisions(evidence), ...attacksOnMachine(evidence), ...attacksOnMethod(evidence)];
}
