import type { DecodingPolicy } from '../../../src/decode/method/compose.js';
import { RowMemory } from '../../../src/decode/method/row-memory.js';
import { scorePass } from '../../../src/decode/method/score-pass.js';
import type { Pass, PassOutcome } from '../../../src/pass/pass.js';
import { hashNumbers } from '../../../src/util/hash-numbers.js';
import { TOY_EOS, TOY_MASK, TOY_VOCAB, type ToyEngine } from './toy-engine.js';

/**
 * A second, independent loop over plan, run and apply: the passes of a step run in any order and the outcomes are
 * handed over in any order. `landedAt` says which side passes land at each step's boundary.
 */
export async function interleavedDecode(
  policy: DecodingPolicy,
  engine: ToyEngine,
  promptIds: readonly number[],
  genLength: number,
  landedAt: readonly (readonly string[])[],
  seed: number,
): Promise<readonly number[]> {
  const memory = new RowMemory(policy.scoring.drift);
  const score = async (pass: Pass): Promise<PassOutcome> => {
    const { logits } = await engine.run(pass);
    return scorePass(
      pass,
      logits,
      { vocab: TOY_VOCAB, maskId: TOY_MASK, endIds: [TOY_EOS] },
      policy.scoring,
      memory,
    );
  };
  const shuffle = <T>(items: readonly T[], salt: number): T[] =>
    items
      .map((item, index) => ({ item, rank: hashNumbers(seed, salt, index) }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ item }) => item);

  let canvas = policy.start(promptIds, genLength, TOY_MASK, { endIds: [TOY_EOS] });
  const done = new Map<string, PassOutcome>();
  for (let plan = policy.plan(canvas); plan !== null; plan = policy.plan(canvas)) {
    for (const pass of shuffle(plan.passes, canvas.step)) done.set(pass.id, await score(pass));
    const landed = shuffle(landedAt[canvas.step], canvas.step + 1).map((id) => done.get(id) as PassOutcome);
    const applied = policy.apply(canvas, plan, done.get(plan.passes[0].id) as PassOutcome, landed);
    canvas = applied.canvas;
    engine.retain(applied.liveKv);
  }
  return canvas.positions.slice(promptIds.length).map((position) => position.token);
}
