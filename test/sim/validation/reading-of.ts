import { parseKernel } from '../../../sim/kernel/parse.js';
import { interpret } from '../../../sim/validation/interpret.js';
import type { PublishedRow } from '../../../sim/validation/published.js';
import type { Amount } from '../../../sim/validation/reading/amount.js';
import type { Work } from '../../../sim/validation/reading/work.js';
import { UsageError } from '../../../src/errors.js';

/** What is timed for a row in one line, or why it is not: the whole of how it was read. */
export function readingOf(row: PublishedRow): string {
  const found = interpret(row);
  if ('reason' in found) return `refused: ${found.reason}`;
  const { profiles, stacks, shapes, recipe, quant, bytesScale, work, threads, passRows, measure } =
    found.case;
  const [least, most] = bytesScale.map((scale) => scale.toFixed(2));
  const scaled = least === '1.00' && most === '1.00' ? '' : ` x ${least}${least === most ? '' : `..${most}`}`;
  let operator = '';
  if (work.kind === 'kernel') {
    try {
      const hints = { rows: work.rows ?? undefined, keys: work.keys ?? undefined, weights: quant };
      operator = JSON.stringify(parseKernel(work.operator, hints)).replaceAll('"', '').slice(1, -1);
    } catch (error) {
      if (error instanceof UsageError) return `refused: ${error.message.split('\n')[0]}`;
      throw error;
    }
  }
  return [
    profiles.join('|'),
    stacks.length > 3 ? `${stacks[0]}|any state` : stacks.join('|'),
    ...(shapes === null ? [operator] : [`${shapes.name} ${recipe ?? quant}${scaled}`, workText(work)]),
    ...(threads === null ? [] : [`${threads} threads`]),
    ...(passRows === null ? [] : [`passes of ${passRows}`]),
    `${measure.quantity}${measure.per === 'token' ? ' a token' : ''}`,
  ].join('; ');
}

function lengthText({ value, range: [low, high] }: Amount): string {
  return low === high ? `${value}` : `${value} (${low}..${high})`;
}

function workText(work: Work): string {
  switch (work.kind) {
    case 'prefill': {
      const after = work.context === 0 ? '' : ` after ${work.context}`;
      return `prompt of ${lengthText(work.tokens)}${after}${work.compiled === 0 ? '' : ` in a graph of ${work.compiled}`}`;
    }
    case 'embed':
      return `text of ${lengthText(work.tokens)}`;
    case 'decode':
      return `${work.sequences} at ${lengthText(work.context)}${work.passes === 1 ? '' : `, ${work.passes} times`}`;
    case 'request':
      return `${lengthText(work.prompt)} + ${lengthText(work.answer)}${work.counts === 'all' ? ', all counted' : ''}`;
    case 'kernel':
      return 'operator';
  }
}
