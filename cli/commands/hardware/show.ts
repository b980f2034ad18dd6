import { z } from 'zod';
import { loadProfile, profileHash } from '../../../sim/hardware/load-profile.js';
import { provenanceEntries } from '../../../sim/hardware/provenance.js';
import { PROFILE_DEFINITIONS } from '../../../sim/hardware/schema.js';
import { table } from '../../../src/util/table.js';
import { defineCommand } from '../../command.js';
import { printNumbers } from '../../print-numbers.js';

export const command = defineCommand({
  arguments: { profile: z.string().describe('name (see `hardware list`) or path of a profile file') },
  examples: ['hardware show sm8750', 'hardware show ./my-phone.json --json'],
  run(ctx, { profile }) {
    const { name, soc, npuArch, description, provenance } = loadProfile(profile);
    const numbers = provenanceEntries(provenance).map((entry) => ({
      ...entry,
      definition: PROFILE_DEFINITIONS[entry.name],
    }));
    ctx.data({ name, soc, npu: npuArch, description, sha256: profileHash(profile), numbers });
    ctx.print(`${name}: ${description}\n`);
    printNumbers(ctx, numbers);
    ctx.print(
      `\n${table(
        ['number', 'is'],
        numbers.map(({ name: number }) => [number, PROFILE_DEFINITIONS[number]]),
      )}`,
    );
  },
});
