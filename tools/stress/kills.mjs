import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { COMMANDS, broken, equal, folder, KILL_AT, leftovers, promise, reference, said, seen, stamps, start } from './program.mjs';

/** After so many kills of one life at the latest, it is let come to its end. */
const MOST_OF_A_LIFE = 12;
/** They keep runs, and go on after the last one that was stored. */
const GOES_ON = new Set(['sweep', 'quality', 'ablate', 'tune']);
const HOW = ['before', 'half', 'after'];

/**
 * Kills a command again and again on its way through one life, which goes on from what the last kill has left, and lets
 * it end. Three kills of four come at an operation on files that is drawn (before it, in its middle, after it), the
 * others at a moment. The next life begins in an empty folder.
 * @param random numbers in [0, 1)
 * @param stopping whether to end after this kill
 */
export async function kills(name, count, random, stopping) {
  const whole = await reference(name);
  const before = broken().length;
  const found = { killed: 0, kept: 0, temporary: 0, lives: 0 };
  let tried = 0;
  while (tried < count && !stopping()) {
    const at = folder(name);
    let made = new Map();
    const look = () => {
      for (const [file, hash] of seen(at)) promise(`${name}: ${file} is half written after a kill`, whole.files.get(file) === hash);
      const now = stamps(at);
      for (const [file, stamp] of made) promise(`${name}: ${file} was made twice`, now.get(file) === stamp);
      made = now;
    };
    const tries = Math.min(count - tried, MOST_OF_A_LIFE);
    // A command that goes on gets a little further with every kill; one that begins anew may be killed anywhere each time.
    const reach = GOES_ON.has(name) ? Math.max(1, (2 * whole.operations) / tries) : whole.operations;
    for (let i = 0; i < tries && !stopping(); i++) {
      const hit = await kill(name, at, whole, 1 + Math.floor(random() * reach), random);
      tried++;
      look();
      if (!hit) break;
      found.killed++;
    }
    found.kept += made.size;
    found.temporary += leftovers(at);
    const { code, said: text } = await start(COMMANDS[name](at)).ended;
    promise(`${name}: does not go on after a kill: ${text}`, code === 0);
    promise(`${name}: other files after kills than without`, equal(seen(at), whole.files));
    look();
    found.lives++;
    rmSync(at, { recursive: true });
  }
  said(
    `kill -9, ${name}`,
    `${found.killed} of ${tried} hit, in ${found.lives} lives of ${whole.operations} operations; ${found.kept} runs kept, none made twice; ${found.temporary} temporary files left; ${broken().length - before} promises broken`,
  );
}

/** @returns whether the program was killed, and had not ended by itself before */
async function kill(name, at, whole, operation, random) {
  if (random() < 0.25) {
    const child = start(COMMANDS[name](at));
    await Promise.race([sleep(random() * whole.ms), child.ended]);
    child.kill('SIGKILL');
    return (await child.ended).signal === 'SIGKILL';
  }
  const how = HOW[Math.floor(random() * HOW.length)];
  const env = { ...process.env, NODE_OPTIONS: KILL_AT, DLLM_KILL_AT: `${operation} ${how}` };
  const { code, signal, said: text } = await start(COMMANDS[name](at), { env }).ended;
  promise(`${name}, killed ${how} operation ${operation}: exit ${code}: ${text}`, signal === 'SIGKILL' || code === 0);
  return signal === 'SIGKILL';
}
