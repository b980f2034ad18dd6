import { z } from 'zod';
import { UsageError } from '../errors.js';
import { hashText, Random } from '../score/random.js';

/** Examples drawn at random from forms with slots. */
export const generatorSchema = z.strictObject({
  seed: z.int().min(0).default(1),
  /** Examples to draw; those with a prompt that was drawn before are left out. */
  count: z.int().min(1).max(200_000).default(5000),
  /** Lists to draw from, by name. Nothing is drawn twice in one example. */
  words: z.record(z.string().regex(/^[a-z]\w*$/), z.array(z.string().min(1)).min(1)).default({}),
  /** One is chosen for each example. */
  forms: z.array(z.strictObject({ prompt: z.string().min(1), answer: z.string().min(1) })).min(1),
});

export type GeneratorSpec = z.infer<typeof generatorSchema>;

/** What a slot may say, for errors. */
const SLOTS =
  '{name: list}, {name: 3 list}, {name: 3-5 list} or {name: 0-9} draws (in a prompt); {name}, {name reverse}, {name sort}, ' +
  '{name first}, {name last}, {name count}, {a + b}, {a - b} or {a * b} uses what was drawn';

type Values = Map<string, readonly string[]>;

const USES = {
  reverse: (values) => [...values].reverse(),
  sort: (values) => [...values].sort(),
  first: (values) => values.slice(0, 1),
  last: (values) => values.slice(-1),
  count: (values) => [String(values.length)],
} as const satisfies Record<string, (values: readonly string[]) => readonly string[]>;

const SUMS = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
} as const satisfies Record<string, (a: number, b: number) => number>;

/**
 * Draws the examples of a generator: the same description gives the same ones everywhere.
 * @param label what errors call it
 * @throws UsageError for a slot that means nothing, or a list that is too short for what is drawn from it
 */
export function drawExamples(
  { seed, count, words, forms }: GeneratorSpec,
  label: string,
): { readonly prompt: string; readonly answer: string }[] {
  const found = new Map<string, string>();
  for (let index = 0; index < count; index++) {
    const random = new Random(hashText(`${seed} ${index}`));
    const form = random.pick(forms);
    const example = new ExampleDraw(words, random, label);
    const prompt = example.fill(form.prompt, true);
    const answer = example.fill(form.answer, false);
    if (!found.has(prompt)) found.set(prompt, answer);
  }
  return [...found].map(([prompt, answer]) => ({ prompt, answer }));
}

/** One example while it is drawn. */
class ExampleDraw {
  private readonly values: Values = new Map();
  private readonly left: Values;

  constructor(
    words: GeneratorSpec['words'],
    private readonly random: Random,
    private readonly label: string,
  ) {
    this.left = new Map(Object.entries(words));
  }

  fill(form: string, draws: boolean): string {
    return form.replaceAll(/\{([^{}]*)\}/g, (slot, inside: string) => {
      const drawn = draws ? this.draw(inside) : null;
      const found = drawn ?? this.use(inside) ?? this.compute(inside);
      if (found === null) throw new UsageError(`${this.label}: slot ${slot} means nothing: ${SLOTS}`);
      return found.join(' ');
    });
  }

  private draw(slot: string): readonly string[] | null {
    const [, name, low, high = low, list] = /^(\w+): (?:(\d+)(?:-(\d+))?)? ?([a-z]\w*)?$/.exec(slot) ?? [];
    if (name === undefined || (list === undefined && low === undefined)) return null;
    if (this.values.has(name)) throw new UsageError(`${this.label}: {${slot}} draws ${name} a second time`);
    const number = (text: string | undefined): number => Number(text ?? 1);
    if (number(low) > number(high)) throw new UsageError(`${this.label}: {${slot}} runs backwards`);
    const chosen = this.random.integer(number(low), number(high));
    const drawn = list === undefined ? [String(chosen)] : this.take(list, chosen, slot);
    this.values.set(name, drawn);
    return drawn;
  }

  private take(list: string, count: number, slot: string): readonly string[] {
    const left = this.left.get(list);
    if (left === undefined)
      throw new UsageError(`${this.label}: {${slot}}: there is no list ${list} in "words"`);
    if (left.length < count)
      throw new UsageError(
        `${this.label}: {${slot}} draws ${count} of ${left.length} words that ${list} has left`,
      );
    const drawn = this.random.sample(left, count);
    this.left.set(
      list,
      left.filter((word) => !drawn.includes(word)),
    );
    return drawn;
  }

  private use(slot: string): readonly string[] | null {
    const [, name = '', how] = /^(\w+)(?: (\w+))?$/.exec(slot) ?? [];
    const values = this.values.get(name);
    if (values === undefined || how === undefined) return values ?? null;
    return how in USES ? USES[how as keyof typeof USES](values) : null;
  }

  private compute(slot: string): readonly string[] | null {
    const [, a = '', sign, b = ''] = /^(\w+) ([+*-]) (\w+)$/.exec(slot) ?? [];
    if (sign === undefined) return null;
    const [first, second] = [a, b].map((name) => Number(this.values.get(name)?.join(' ')));
    const result = SUMS[sign as keyof typeof SUMS](first, second);
    return Number.isFinite(result) ? [String(result)] : null;
  }
}
