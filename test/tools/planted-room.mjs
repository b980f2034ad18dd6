// Plants the faults of a made-up room in the folder that it is run in, and prints what was found.
import { readFileSync } from 'node:fs';
import { tryFaults } from '../../tools/mutate/try-faults.mjs';

const room = JSON.parse(readFileSync('room.json', 'utf8'));
const { faults, cpuSeconds } = await tryFaults(room);
process.stdout.write(
  JSON.stringify({
    faults: faults.map(({ id, by, timedOut, reached }) => ({ id, by, timedOut, reached })),
    cpuSeconds,
  }),
);
