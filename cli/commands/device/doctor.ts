import { createColors } from 'picocolors';
import { z } from 'zod';
import { diagnose, requireClass } from '../../../hw/doctor/doctor.js';
import { EXECUTION_CLASSES } from '../../../hw/record/execution-class.js';
import { cacheDirectory } from '../../../src/util/cache-directory.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { phone } from '../../device-target.js';

export const command = defineCommand({
  options: {
    require: z
      .enum(EXECUTION_CLASSES)
      .exclude(['isa-emulated'])
      .optional()
      .describe('exit with 3 unless this class of execution can be had')
      .meta({ value: 'class' }),
    adb: phone.adb,
  },
  notes:
    'Changes nothing, here or on a phone. Looks at QNN_EP_DIR (else what `device fetch` fetched), QAIRT_ROOT and adb.' +
    '\nExits with 0 whatever is missing, unless --require says what is needed.',
  examples: [
    'device doctor',
    'device doctor --require npu-device && echo ready',
    'device doctor --json   with QNN_EP_DIR naming a folder of your own',
  ],
  async run(ctx, { adb, require }) {
    const { env } = ctx.io;
    const diagnosis = await diagnose({ env, cache: cacheDirectory(env), adb });
    const { findings, abilities, libraries } = diagnosis;
    ctx.data(diagnosis);
    const c = createColors(ctx.color);
    const paint = { found: c.green, missing: c.yellow, problem: c.red };
    ctx.print(
      table(
        ['part', 'state', 'what was seen'],
        findings.map(({ what, state, says }) => [what, paint[state](state), says]),
        { styleHeader: c.bold },
      ),
    );
    for (const { name, version, sha256 } of libraries)
      ctx.print(`${name} ${version ?? ''}: sha256 ${sha256}`);
    ctx.print(`\n${c.bold('Can be run now')}`);
    for (const { executionClass, what, command: line, missing } of abilities) {
      if (missing.length === 0) ctx.print(`  ${what} (${executionClass})\n    ${line}`);
    }
    const notYet = abilities.filter(({ missing }) => missing.length > 0);
    if (notYet.length > 0) ctx.print(`\n${c.bold('Not yet')}`);
    for (const { executionClass, what, missing } of notYet) {
      ctx.print(`  ${what} (${executionClass}) needs ${missing.join('; ')}`);
    }
    const steps = findings.flatMap(({ what, next }) => (next === null ? [] : [`  ${what}: ${next}`]));
    if (steps.length > 0) ctx.print(`\n${c.bold('What to do next')}\n${steps.join('\n')}`);
    ctx.print('\nOnly npu-device gives device times.');
    if (require !== undefined) requireClass(diagnosis, require);
  },
});
