import { table } from '../../src/util/table.js';
import type { ProfileLog } from './profile-log.js';
import { type OpTotal, opTotals, sessionsOf, unitCycles } from './summary.js';

const SHOWN_OPS = 30;

/** Where the time of a profile goes, for a person: a table for each NPU. */
export function profileText(profile: ProfileLog, styleHeader?: (line: string) => string): string {
  const { ops, dialect, unpairedEvents, cutLine } = profile;
  const sessions = sessionsOf(profile);
  const totals = opTotals(profile);
  const units = unitCycles(profile);
  const lines = [`\n${ops.length} operators, dialect ${dialect}`];
  for (const session of sessions) {
    const own = totals.filter((total) => total.session === session);
    if (sessions.length > 1) lines.push(`\n${session}`);
    lines.push(tableOf(own.slice(0, SHOWN_OPS), styleHeader));
    if (own.length > SHOWN_OPS) lines.push(`and ${own.length - SHOWN_OPS} kinds more (--json has all)`);
  }
  for (const [session, busy] of Object.entries(units)) {
    const where = sessions.length > 1 ? ` of ${session}` : '';
    const each = Object.entries(busy).map(([unit, cycles]) => `${unit} ${cycles}`);
    lines.push(`busy cycles${where}: ${each.join(', ')}`);
  }
  if (unpairedEvents > 0)
    lines.push(
      `${unpairedEvents} events without their other end: the trace buffer was full (GGML_HEXAGON_OPTRACE), busy cycles are lower bounds`,
    );
  const promised = profile.batches.reduce((sum, batch) => sum + batch.ops, 0);
  if (promised > ops.length)
    lines.push(
      `its batches ran ${promised} operators, ${promised - ops.length} more than it has lines of: what is missing has no time here`,
    );
  if (cutLine !== null) lines.push(`the log was cut; its last line does not count: "${cutLine.slice(-80)}"`);
  return lines.join('\n');
}

function tableOf(totals: readonly OpTotal[], styleHeader?: (line: string) => string): string {
  return table(
    ['operator', 'extents', 'types', '> times', '> ms\nin all', '> kcycles\neach', '> share'],
    totals.map(({ op, dims, types, count, us, cycles, share }) => [
      op,
      dims,
      types ?? '-',
      String(count),
      (us / 1000).toFixed(2),
      (cycles / count / 1000).toFixed(1),
      `${(100 * share).toFixed(1)} %`,
    ]),
    { styleHeader },
  );
}
