import { processFile } from '../../../experiments/lab/deciders/synthetic/profiles.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';

export const command = defineCommand({
  examples: ['workload show'],
  run(ctx) {
    const file = processFile();
    ctx.data(file);
    ctx.print(
      `Fitted to: ${file.fittedTo}\nBy: ${file.command} (${file.evaluations} evaluations)\nObjective: ${file.objective}\nValue: ${file.value.toFixed(2)}\n`,
    );
    ctx.print(
      table(
        ['parameter', '> value', 'assumed because'],
        Object.entries(file.parameters).map(([name, value]) => [
          name,
          String(value),
          file.assumed[name] ?? '',
        ]),
      ),
    );
    ctx.print(
      table(
        ['point', '> fitted', '> published'],
        file.residuals.map(({ name, fitted, target }) => [name, fitted.toFixed(2), String(target)]),
      ),
    );
    ctx.print(
      table(
        ['profile', '> bias shift', '> text tokens', 'set by'],
        Object.entries(file.profiles).map(([name, { shift, textTokens, basis }]) => [
          name,
          String(shift),
          textTokens === null ? 'all' : String(textTokens),
          basis,
        ]),
        { maxWidth: 110 },
      ),
    );
  },
});
