/** What a template gets. */
export interface TemplateJob {
  readonly source: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * What came of it: the text, or why there is none. `unreadable`: it is no template; `refused`: its author says no, or it
 * does not run; `limit`: it takes more than it is given; `broken`: the sandbox itself cannot be had.
 */
export type TemplateAnswer =
  | { readonly text: string }
  | { readonly fault: 'unreadable' | 'refused' | 'limit' | 'broken'; readonly reason: string };

/** What one rendering may take. A usual one takes a tenth of a millisecond and writes little more than what it is given. */
export const TEMPLATE_LIMITS = { ms: 1000, characters: 4_000_000, heapMb: 64 };

/**
 * The program of the child process, which runs templates and nothing else: a line of JSON in, a line out. It is handed over as
 * text, so it stands alone: what it needs are its parameters.
 *
 * The heap of V8 bounds what is made of many values; one string may take it by surprise, and is bounded where long ones
 * are made: by operators and calls of the template, and by those functions of the language that make more out of less.
 */
export function guest(
  jinja: typeof import('@huggingface/jinja'),
  vm: typeof import('node:vm'),
  limits: typeof TEMPLATE_LIMITS,
): void {
  const tooLong = `makes a text of more than ${limits.characters} characters`;
  class Limit extends Error {}
  const add = (sum: number, text: unknown): number => {
    const next = sum + String(text).length;
    if (next > limits.characters) throw new Limit(tooLong);
    return next;
  };

  const { evaluate } = jinja.Interpreter.prototype;
  jinja.Interpreter.prototype.evaluate = function (...statement: Parameters<typeof evaluate>) {
    const made = evaluate.apply(this, statement);
    if (typeof made?.value === 'string') add(0, made.value);
    return made;
  };
  const { join } = Array.prototype;
  Array.prototype.join = function (separator = ',') {
    let sum = 0;
    for (const part of this) sum = add(add(sum, part ?? ''), separator);
    return join.call(this, separator);
  };
  const { repeat, replaceAll } = String.prototype;
  String.prototype.repeat = function (count) {
    if (this.length * count > limits.characters) throw new Limit(tooLong);
    return repeat.call(this, count);
  };
  // The library replaces by a function; a replacement with patterns in it is left to the language.
  String.prototype.replaceAll = function (pattern: string | RegExp, by: unknown) {
    const plain = replaceAll as (...args: unknown[]) => string;
    if (typeof by !== 'function') return plain.call(this, pattern, by);
    let sum = this.length;
    const counted = (...found: unknown[]): string => {
      const text = String(by(...found));
      sum = add(sum, text);
      return text;
    };
    return plain.call(this, pattern, counted);
  };

  const faultOf = (error: unknown, otherwise: 'unreadable' | 'refused'): TemplateAnswer => {
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof Limit || reason === 'Invalid string length')
      return { fault: 'limit', reason: error instanceof Limit ? reason : tooLong };
    if (error instanceof RangeError && /call stack/.test(reason))
      return { fault: 'limit', reason: 'is nested too deeply' };
    return { fault: otherwise, reason };
  };
  const answer = ({ source, values }: TemplateJob): TemplateAnswer => {
    let template: import('@huggingface/jinja').Template;
    try {
      template = new jinja.Template(source);
    } catch (error) {
      return faultOf(error, 'unreadable');
    }
    try {
      const text = template.render(values);
      add(0, text);
      return { text };
    } catch (error) {
      return faultOf(error, 'refused');
    }
  };
  const timed = (job: TemplateJob): TemplateAnswer => {
    const place = globalThis as unknown as { run?: () => TemplateAnswer };
    place.run = () => answer(job);
    try {
      return new vm.Script('run()').runInThisContext({ timeout: limits.ms });
    } catch {
      // Whatever is thrown inside is answered there.
      return { fault: 'limit', reason: `takes more than ${limits.ms / 1000} s` };
    }
  };

  let line = '';
  process.stdin.setEncoding('utf8').on('data', (text: string) => {
    line += text;
    if (!line.endsWith('\n')) return;
    const job = JSON.parse(line);
    line = '';
    process.stdout.write(`${JSON.stringify(timed(job))}\n`);
  });
  process.stdout.write('ready\n');
}
