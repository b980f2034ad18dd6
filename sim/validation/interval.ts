import { between, drawsOf } from '../interval/draws.js';
import { type FormSpread, type FurtherSpread, formSpread } from '../interval/form.js';
import { openChip } from '../open-machine.js';
import { stackByName } from '../stacks/registry.js';
import type { Case } from './interpret.js';
import { predict } from './predict.js';

/** ln of the predictions over everything that a row leaves open and every number that has a range. */
export function samples(wanted: Case): number[] {
  const chips = wanted.profiles.map((profile) => wanted.stacks.map((stack) => openChip({ profile, stack })));
  const draws = drawsOf(chips, (name) => isGiven(name, wanted), undefined, wanted.threads);
  return draws.map(({ chip, share, slowdown }) =>
    Math.log(
      predict(wanted, {
        chip,
        bytes: between(wanted.bytesScale, share('bytes')),
        lengthShare: share('length'),
        energyShare: share('energy'),
        slowdown,
      }).value,
    ),
  );
}

function isGiven(name: string, { threads, passRows }: Case): boolean {
  return (
    (name === 'stack.cpuThreads' && threads !== null) || (name === 'stack.prefillRows' && passRows !== null)
  );
}

/** The spread of the form for a row. */
export function formOf({ stacks, substitute, standIn, unfamiliar, work, measure }: Case): FormSpread {
  const reasons: readonly (readonly [applies: boolean, FurtherSpread])[] = [
    [substitute, 'shapes of another model'],
    [standIn, 'another chip stands in'],
    [unfamiliar, 'engine known by its kind only'],
    [work.kind === 'kernel', 'one operator'],
    [work.kind === 'decode' || work.kind === 'request', 'a token at a time'],
    [['energy', 'power', 'tokens per joule'].includes(measure.quantity), 'energy'],
  ];
  return formSpread(
    stackByName(stacks[0]),
    reasons.flatMap(([applies, words]) => (applies ? [words] : [])),
  );
}
