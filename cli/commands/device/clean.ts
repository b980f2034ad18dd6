import { defineCommand } from '../../command.js';
import { keptOn, openPhone, phone } from '../../device-target.js';

export const command = defineCommand({
  options: phone,
  notes: 'Removes the directory that models and tools were kept in, and nothing else.',
  examples: ['device clean', 'device clean --serial R5CX12345'],
  async run(ctx, asked) {
    const runner = await openPhone(ctx, asked);
    const directory = keptOn(runner, asked.deviceDirectory);
    const existed = (await runner.stat(directory)) !== null;
    if (existed) await runner.remove(directory);
    ctx.data({ target: runner.name, directory, removed: existed });
    ctx.print(existed ? `removed ${directory} on ${runner.name}` : `nothing was kept on ${runner.name}`);
  },
});
