import { stackByName, stackNames } from '../../../sim/stacks/registry.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';

export const command = defineCommand({
  examples: ['hardware stacks'],
  run(ctx) {
    const stacks = stackNames().map((name) => ({ name, description: stackByName(name).description }));
    ctx.data({ stacks });
    ctx.print(
      table(
        ['stack', 'description'],
        stacks.map(({ name, description }) => [name, description]),
      ),
    );
  },
});
