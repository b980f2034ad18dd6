import { loadProfile, profileNames } from '../../../sim/hardware/load-profile.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';

export const command = defineCommand({
  examples: ['hardware list'],
  run(ctx) {
    const profiles = profileNames().map((name) => {
      const { soc, npuArch, description, provenance } = loadProfile(name);
      return { name, soc, npu: npuArch, numbers: Object.keys(provenance).length, description };
    });
    ctx.data({ profiles });
    ctx.print(
      table(
        ['profile', 'SoC', 'NPU', '> numbers', 'description'],
        profiles.map((p) => [p.name, p.soc, p.npu, String(p.numbers), p.description]),
      ),
    );
  },
});
