import { groupsOf, logicalOutcomes, logicalPasses } from '../../pass/groups.js';
import type { CheckedStep } from './law.js';

/**
 * The steps of the method that one recorded step stands for: the accepted row groups, each with its own pass,
 * outcome and changes. A step without accepted groups is itself. Drafts are noted with the last of them.
 */
export function logicalSteps(step: CheckedStep): CheckedStep[] {
  const [main] = step.plan.passes;
  if (main === undefined || step.accepted.length === 0) return [step];
  const passes = logicalPasses(main);
  const outcomes = logicalOutcomes(main, step.outcomes[0] ?? { passId: main.id, rows: [] });
  const versions = new Set(step.accepted.map(({ group }) => groupsOf(main)[group]?.version));
  // KV that no accepted group computed stays with the last step, where the checker finds no pass for it.
  const stray = step.kvWrites.filter(({ version }) => !versions.has(version));
  let from = 0;
  return step.accepted.flatMap(({ group, transitions }, index): CheckedStep[] => {
    const pass = passes[group];
    const outcome = outcomes[group];
    if (pass === undefined || outcome === undefined) return [];
    const isLast = index === step.accepted.length - 1;
    const part = step.transitions.slice(from, isLast ? undefined : from + transitions);
    from += transitions;
    return [
      {
        plan: { ...step.plan, block: index === 0 ? step.plan.block : -1, passes: [pass] },
        outcomes: [outcome],
        landed: [],
        transitions: part,
        dropped: [],
        kvWrites: [
          ...step.kvWrites.filter(({ version }) => version === pass.version),
          ...(isLast ? stray : []),
        ],
        draftWrites: isLast ? step.draftWrites : [],
        accepted: [],
      },
    ];
  });
}
