import type { Chip } from '../open-machine.js';
import { latinHypercube } from '../sensitivity/latin-hypercube.js';
import { parametersOf, withValues } from '../sensitivity/parameters.js';
import { seededRandom } from '../sensitivity/sensitivity.js';

/** Points of the hypercube of a run: enough for its spread, few enough for a file of rows to take a minute. */
export const POINTS = 16;
const SEED = 1;

/**
 * How much slower a run may be than at top clocks, least and most: assumed. What heat leaves of a CPU is a number of its stack
 * (`cpuSustained`), with a range of its own.
 */
const HEAT = { cpu: [1, 1], gpu: [1, 1.2], npu: [1, 1.1] } as const;

/**
 * How much longer work takes that has a thread on every core, least and most: llama.cpp's threads wait for each other by spinning, so a core
 * that the system or another program takes stops all. A prompt takes 2.65 times as long by 8 threads as by 4 (Llama-3.2-1B, SM8550, a
 * replication of arXiv:2607.05475), 2.5 times and a token 1.8 times on RK3588 (llama.cpp#7176). A phone on which a token takes a hundred
 * times as long (llama.cpp#21763) is outside.
 */
const CROWDED = [1, 2.65] as const;
/** Cores from which on a profile has all of its chip: others leave the small ones out, which then serve the system. */
const WHOLE_CHIP = 8;

/** What varies besides the numbers of chip and stack: one coordinate each, in [0, 1). A run uses those that it leaves open. */
const CONDITIONS = ['chip', 'stack', 'bytes', 'length', 'energy', 'heat'] as const;

/** One way in which a run may be. */
export interface ChipDraw {
  /** With numbers from their ranges. */
  readonly chip: Chip;
  readonly share: (condition: (typeof CONDITIONS)[number]) => number;
  /** Times every duration: clocks that fall with heat. */
  readonly slowdown: number;
}

/**
 * Draws of a seeded Latin hypercube over conditions and every number that has a range, measured ones included. A number that the
 * user set has none.
 * @param chips by profile, then by stack: a draw takes one of them
 * @param isGiven numbers that the run itself fixes, by name
 * @param threads of the CPU, where the run itself fixes them
 */
export function drawsOf(
  chips: readonly (readonly Chip[])[],
  isGiven: (name: string) => boolean = () => false,
  points = POINTS,
  threads: number | null = null,
): ChipDraw[] {
  const open = chips.map((stacks) =>
    stacks.map((chip) => ({
      chip,
      parameters: parametersOf(chip.profile, chip.stack, true).filter(({ name }) => !isGiven(name)),
    })),
  );
  const widest = Math.max(...open.flat().map(({ parameters }) => parameters.length));
  const cube = latinHypercube(points, CONDITIONS.length + widest, seededRandom(SEED));
  return cube.map((point) => {
    const share: ChipDraw['share'] = (condition) => point[CONDITIONS.indexOf(condition)];
    const { chip, parameters } = pick(pick(open, share('chip')), share('stack'));
    const drawn = withValues(
      chip,
      parameters.map((parameter, at) => [parameter, between(parameter.range, point[CONDITIONS.length + at])]),
    );
    return {
      chip: drawn,
      share,
      slowdown: between(slowdownOf({ ...drawn, profile: chip.profile }, threads), share('heat')),
    };
  });
}

function pick<T>(from: readonly T[], at: number): T {
  return from[Math.min(from.length - 1, Math.floor(at * from.length))];
}

/** The value at a share of a range. */
export function between([low, high]: readonly [number, number], share: number): number {
  return low + share * (high - low);
}

function slowdownOf({ profile, stack }: Chip, threads: number | null): readonly [number, number] {
  if (stack.placement === 'all-cpu')
    return isCrowded(profile.cpu, threads ?? stack.numbers.cpuThreads) ? CROWDED : HEAT.cpu;
  return stack.placement === 'embedding-cpu-rest-gpu' ? HEAT.gpu : HEAT.npu;
}

function isCrowded({ primeCores, midCores }: Chip['profile']['cpu'], threads: number): boolean {
  const cores = primeCores + midCores;
  return threads > cores || (threads === cores && cores >= WHOLE_CHIP);
}
