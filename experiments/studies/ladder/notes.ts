import { mean } from '../../../src/score/statistics/samples.js';
import type { PromptResult } from './prompts.js';
import type { AblationRow, ProvenanceEntry } from './types.js';

/** Sentences without which the table would mislead. */
export function notes(
  prompts: readonly PromptResult[],
  rows: readonly AblationRow[],
  provenance: readonly ProvenanceEntry[],
): string[] {
  const fitted = provenance.filter((entry) => entry.kind === 'fitted').map((entry) => entry.name);
  const promptTokens = mean(prompts.map((prompt) => prompt.promptTokens));
  const sts = rows.find((row) => row.name === '+ STS');
  const scr = rows.findIndex((row) => row.name === '+ SCR');
  const remaining = mean(prompts.map((prompt) => prompt.rows[scr].remainingVisible));
  return [
    `Table 6 is GSM8K with LLaDA-8B itself on a phone: another data set, so its rows are there for the order and no error is stated. Prompts here have ${promptTokens.toFixed(0)} tokens on average.`,
    fitted.length === 0
      ? "No number of the machine was fitted, but two modelling choices were settled with the paper's Table 2 in view " +
        '(docs/machine.md): treat the machine rows as checked, not as blind predictions.'
      : `Fitted numbers of the machine: ${fitted.join(', ')}. A match with what they were fitted to proves nothing.`,
    'From + MBSD on, drafts are scored in the window and fed as masks, which is what the 1.20x of the paper speaks for (ADR 156). ' +
      'Fed as their tokens (policies mbsd, ..., llada.cpp), as one phrase of its text reads, they gain more: `reproduce table6` prints both.',
    'NPU goes back to the full canvas of CPU, so its factor over the row before compares two decoding methods.',
    ...(sts === undefined
      ? []
      : [
          '+ STS brings in two-stage visibility and committing many tokens per step at once; the paper does not separate the two.',
        ]),
    `+ SCR: ${remaining.toFixed(1)} visible tokens per answer were never confirmed as stable and are reported as such.`,
    `Exact match is over ${prompts.length} problems: intervals are wide, and differences inside them mean nothing.`,
  ];
}
