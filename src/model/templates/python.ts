/** Values of the library: what it does not export, by what is used of it here. */
interface Value {
  readonly type: string;
  readonly value: unknown;
  toString(): string;
}

interface Node {
  readonly type: string;
  readonly left?: Node;
  readonly right?: Node;
  readonly operand?: Node;
  readonly operator?: { readonly value: string };
  readonly filter?: {
    readonly type: string;
    readonly value?: string;
    readonly callee?: { readonly value: string };
  };
}

/**
 * Makes the library print, compare and strip as Python's Jinja does, which models were trained with; what cannot be written
 * alike is refused. Handed over as text beside the guest, so it stands alone.
 */
export function asPython(jinja: typeof import('@huggingface/jinja')): void {
  const interpreter = jinja.Interpreter.prototype as unknown as {
    evaluate(node: Node, environment: unknown): Value;
    evaluateBlock(statements: readonly Node[], environment: unknown): Value;
    evaluateBinaryExpression(node: Node, environment: unknown): Value;
    evaluateFilterExpression(node: Node, environment: unknown): Value;
    evaluateMemberExpression(node: Node, environment: unknown): Value;
    evaluateSliceExpression(object: Value, ...rest: unknown[]): Value;
  };
  const made = (source: string): Value => {
    const environment = new jinja.Environment();
    environment.set('yes', true);
    environment.set('call', () => null);
    const [node] = jinja.parse(jinja.tokenize(`{{ ${source} }}`)).body as unknown as readonly Node[];
    return new jinja.Interpreter(environment).evaluate(node as never, environment) as unknown as Value;
  };
  type Class = new (value: unknown) => Value;
  const classOf = (source: string): Class => made(source).constructor as Class;
  const Text = classOf("'a'");
  const Truth = classOf('yes');
  const Whole = classOf('1');
  const Call = classOf('call');

  const refuse = (what: string): never => {
    throw new Error(`${what}, which only Python writes as the model was taught`);
  };
  /** What `str` makes of a value. */
  const str = (value: Value): string => {
    switch (value.type) {
      case 'StringValue':
        return value.value as string;
      case 'IntegerValue':
      case 'FloatValue':
        return Math.abs(value.value as number) >= 1e15
          ? refuse('it prints a large number')
          : value.toString();
      case 'BooleanValue':
        return value.value === true ? 'True' : 'False';
      case 'NullValue':
        return 'None';
      case 'UndefinedValue':
        return '';
      default:
        return refuse('it prints a list, a dictionary or a function');
    }
  };
  const isNumber = ({ type }: Value): boolean =>
    ['IntegerValue', 'FloatValue', 'BooleanValue'].includes(type);
  const isList = ({ type }: Value): boolean => type === 'ArrayValue' || type === 'TupleValue';
  const equal = (a: Value, b: Value): boolean => {
    if (isNumber(a) && isNumber(b)) return Number(a.value) === Number(b.value);
    if (a.type !== b.type) return false;
    if (isList(a)) {
      const [left, right] = [a.value as readonly Value[], b.value as readonly Value[]];
      return left.length === right.length && left.every((item, at) => equal(item, right[at]));
    }
    if (a.type === 'ObjectValue') {
      const [left, right] = [a.value as ReadonlyMap<string, Value>, b.value as ReadonlyMap<string, Value>];
      const other = (key: string) => right.get(key);
      return (
        left.size === right.size &&
        [...left].every(([key, item]) => {
          const found = other(key);
          return found !== undefined && equal(item, found);
        })
      );
    }
    return a.type === 'NullValue' || a.type === 'UndefinedValue' || a.value === b.value;
  };

  /** Nodes that do something and print nothing of their own. */
  const silent = ['Set', 'Macro', 'Comment', 'Break', 'Continue'];
  interpreter.evaluateBlock = function (statements, environment) {
    let text = '';
    for (const statement of statements) {
      const value = this.evaluate(statement, environment);
      if (!silent.includes(statement.type)) text += str(value);
    }
    return new Text(text);
  };

  const { evaluateBinaryExpression } = interpreter;
  interpreter.evaluateBinaryExpression = function (node, environment) {
    const operator = node.operator?.value ?? '';
    const known = ['==', '!=', '~', '+', '/', '//', '%'].includes(operator);
    if (!known || node.left === undefined || node.right === undefined)
      return evaluateBinaryExpression.call(this, node, environment);
    const left = this.evaluate(node.left, environment);
    const right = this.evaluate(node.right, environment);
    if (operator === '==') return new Truth(equal(left, right));
    if (operator === '!=') return new Truth(!equal(left, right));
    if (operator === '~') return new Text(str(left) + str(right));
    if (operator === '+' && left.type === 'StringValue' && right.type === 'StringValue')
      return new Text(str(left) + str(right));
    if (operator === '+' && (left.type === 'StringValue' || right.type === 'StringValue'))
      throw new Error(`adds a text and ${left.type === 'StringValue' ? right.type : left.type}`);
    if (operator !== '+' && right.value === 0) throw new Error('divides by zero');
    if (operator === '%' && (Number(left.value) < 0 || Number(right.value) < 0))
      return refuse('it takes the remainder of a negative number');
    // Both are known: nothing is done twice.
    const again = { ...node, left: { type: 'Known', value: left }, right: { type: 'Known', value: right } };
    return evaluateBinaryExpression.call(this, again as Node, environment);
  };
  const { evaluate } = interpreter;
  interpreter.evaluate = function (node, environment) {
    return node?.type === 'Known'
      ? (node as unknown as { readonly value: Value }).value
      : evaluate.call(this, node, environment);
  };

  const { evaluateFilterExpression } = interpreter;
  interpreter.evaluateFilterExpression = function (node, environment) {
    const name = node.filter?.value ?? node.filter?.callee?.value ?? '';
    if (!['string', 'join', 'trim', 'capitalize', 'length'].includes(name) || node.operand === undefined)
      return evaluateFilterExpression.call(this, node, environment);
    const operand = this.evaluate(node.operand, environment);
    const known = { ...node, operand: { type: 'Known', value: operand } } as unknown as Node;
    if (name === 'string') return new Text(str(operand));
    if (name === 'trim' && operand.type === 'StringValue' && node.filter?.type === 'Identifier')
      return new Text(strip(str(operand), null, true, true));
    if (name === 'capitalize' && operand.type === 'StringValue') return new Text(capitalized(str(operand)));
    if (name === 'length' && operand.type === 'StringValue') return new Whole([...str(operand)].length);
    if (name === 'join' && isList(operand))
      for (const { type } of operand.value as readonly Value[])
        if (type !== 'StringValue' && type !== 'IntegerValue') refuse(`it joins ${type}s`);
    return evaluateFilterExpression.call(this, known, environment);
  };

  // JavaScript counts what lies beyond U+FFFF twice.
  const halves = /[\ud800-\udfff]/;
  const { evaluateMemberExpression, evaluateSliceExpression } = interpreter;
  interpreter.evaluateMemberExpression = function (node, environment) {
    const found = evaluateMemberExpression.call(this, node, environment);
    const isHalf = found.type === 'StringValue' && halves.test(str(found)) && str(found).length === 1;
    return isHalf ? refuse('it cuts a text with signs beyond U+FFFF') : found;
  };
  interpreter.evaluateSliceExpression = function (object, ...rest) {
    if (object.type === 'StringValue' && halves.test(str(object)))
      refuse('it cuts a text with signs beyond U+FFFF');
    return evaluateSliceExpression.call(this, object, ...rest);
  };

  const capitalized = (text: string): string => {
    const [first = '', ...rest] = text;
    return first.toUpperCase() + rest.join('').toLowerCase();
  };
  /** `str.isspace` of Python, which has signs that JavaScript lacks, and lacks the byte order mark. */
  const isSpace = (sign: string): boolean => {
    const code = sign.charCodeAt(0);
    return (code >= 0x1c && code <= 0x1f) || code === 0x85 || (code !== 0xfeff && sign.trim() === '');
  };
  const strip = (text: string, signs: string | null, left: boolean, right: boolean): string => {
    const goes = (sign: string) => (signs === null ? isSpace(sign) : [...signs].includes(sign));
    const all = [...text];
    let [from, to] = [0, all.length];
    while (left && from < to && goes(all[from])) from++;
    while (right && to > from && goes(all[to - 1])) to--;
    return all.slice(from, to).join('');
  };
  const own = Object.getOwnPropertyDescriptor(Text.prototype, 'builtins')?.get;
  const patched = new WeakMap<object, ReadonlyMap<string, unknown>>();
  Object.defineProperty(Text.prototype, 'builtins', {
    get(this: Value) {
      const found = patched.get(this);
      if (found !== undefined) return found;
      const text = this.value as string;
      const strips = (left: boolean, right: boolean) =>
        new Call(([signs]: readonly Value[]) => {
          if (signs !== undefined && signs.type !== 'StringValue' && signs.type !== 'NullValue')
            throw new Error(`strips ${signs.type}`);
          const given = signs?.type === 'StringValue' ? str(signs) : null;
          return new Text(strip(text, given, left, right));
        });
      const all = new Map<string, unknown>([
        ...((own?.call(this) ?? []) as Iterable<[string, unknown]>),
        ['strip', strips(true, true)],
        ['lstrip', strips(true, false)],
        ['rstrip', strips(false, true)],
        ['capitalize', new Call(() => new Text(capitalized(text)))],
      ]);
      patched.set(this, all);
      return all;
    },
  });
}
