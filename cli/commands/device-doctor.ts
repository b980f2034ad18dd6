import { type Command, Option } from 'commander';
import { createColors } from 'picocolors';
import type { BaseClass } from '../../hw/record/execution-class.js';
import { EnvironmentError } from '../../src/errors.js';
import { formatTable } from '../../src/util/table.js';
import type { Context } from '../io.js';

interface DoctorOptions {
  readonly adb?: string;
  readonly require?: BaseClass;
}

const CLASSES = ['simulator', 'ort-cpu', 'qnn-cpu-ref', 'htp-emulator-x86', 'npu-device'];

export function registerDeviceDoctor(device: Command, context: () => Context): void {
  device
    .command('doctor')
    .description('look for phones, libraries and a runtime; say what can be run and what is missing')
    .addOption(
      new Option('--require <class>', 'exit with 3 unless this class of execution can be had').choices(
        CLASSES,
      ),
    )
    .option('--adb <program>', 'the adb program (default: adb of the PATH)')
    .addHelpText(
      'after',
      '\nChanges nothing, here or on a phone. Looks at QNN_EP_DIR (else what `device fetch` fetched), QAIRT_ROOT and adb.' +
        '\nExits with 0 whatever is missing, unless --require says what is needed.' +
        '\n\nExamples:\n  $ dllm-npu device doctor\n  $ dllm-npu device doctor --require npu-device && echo ready' +
        '\n  $ QNN_EP_DIR=~/qnn/onnxruntime_qnn dllm-npu device doctor --json',
    )
    .action((options: DoctorOptions) => doctor(context(), options));
}

async function doctor(ctx: Context, { adb, require }: DoctorOptions): Promise<void> {
  const { diagnose } = await import('../../hw/doctor/doctor.js');
  const { cacheDirectory } = await import('../../src/util/cache-directory.js');
  const { env } = ctx.io;
  const diagnosis = await diagnose({
    env,
    cache: cacheDirectory(env),
    adb,
  });
  const { findings, abilities, can, libraries } = diagnosis;
  ctx.data(diagnosis);
  const c = createColors(ctx.color);
  const paint = { found: c.green, missing: c.yellow, problem: c.red };
  ctx.print(
    formatTable(
      [
        { header: ['part'], align: 'left' },
        { header: ['state'], align: 'left' },
        { header: ['what was seen'], align: 'left' },
      ],
      findings.map(({ what, state, says }) => [what, paint[state](state), says]),
      { styleHeader: c.bold },
    ),
  );
  for (const { name, version, sha256 } of libraries) ctx.print(`${name} ${version ?? ''}: sha256 ${sha256}`);
  ctx.print(`\n${c.bold('Can be run now')}`);
  for (const { executionClass, what, command, missing } of abilities) {
    if (missing.length === 0) ctx.print(`  ${what} (${executionClass})\n    ${command}`);
  }
  const notYet = abilities.filter(({ missing }) => missing.length > 0);
  if (notYet.length > 0) ctx.print(`\n${c.bold('Not yet')}`);
  for (const { executionClass, what, missing } of notYet) {
    ctx.print(`  ${what} (${executionClass}) needs ${missing.join('; ')}`);
  }
  const steps = findings.flatMap(({ what, next }) => (next === null ? [] : [`  ${what}: ${next}`]));
  if (steps.length > 0) ctx.print(`\n${c.bold('What to do next')}\n${steps.join('\n')}`);
  ctx.print('\nOnly npu-device gives device times.');
  if (require !== undefined && !can.includes(require)) {
    const reasons = abilities.filter(({ executionClass }) => executionClass === require);
    const missing = reasons.map((ability) => `${ability.what} needs ${ability.missing.join(', ')}`);
    throw new EnvironmentError(
      `${require} cannot be had here: ${missing.join('; ') || 'not on this kind of machine'}`,
    );
  }
}
