import { readFileSync } from 'node:fs';
import { parse } from '@babel/parser';

/** Expressions that may stand between brackets; what is called or assigned to may not: a method would lose its object. */
const isExpression = ({ type }) => /Expression$|^TemplateLiteral$|^NumericLiteral$|^BooleanLiteral$/.test(type) && !/^TS/.test(type);
const BARE = { callee: true, left: true, argument: 'UpdateExpression', expression: /^TS|^Decorator/ };

function isBare(parent, key) {
  const rule = BARE[key];
  if (rule === true) return /Call|^Tagged|^NewExpression|^AssignmentExpression|^For/.test(parent.type);
  return rule !== undefined && (typeof rule === 'string' ? parent.type === rule : rule.test(parent.type));
}

function* nodesIn(node, parent = null, key = null) {
  if (node === null || typeof node !== 'object') return;
  if (typeof node.type === 'string') yield { node, parent, key };
  for (const [name, value] of Object.entries(node)) {
    if (name === 'loc' || name.endsWith('Comments')) continue;
    if (Array.isArray(value)) for (const each of value) yield* nodesIn(each, node, name);
    else if (value !== null && typeof value === 'object') yield* nodesIn(value, node, name);
  }
}

const program = (text) => parse(text, { sourceType: 'module', plugins: ['typescript'] }).program;

/** The smallest expression or block around a text that is one with the other text in its place as well. */
function placeOf(source, { file, was, becomes }) {
  const at = source.indexOf(was);
  if (at < 0 || source.indexOf(was, at + 1) >= 0) throw new Error(`${file} does not hold once: ${was}`);
  const shift = becomes.length - was.length;
  const changed = source.slice(0, at) + becomes + source.slice(at + was.length);
  // What both texts begin and end with is no part of the change.
  const common = (a, b) => {
    const differs = [...a].findIndex((character, index) => character !== b[index]);
    return differs < 0 ? a.length : differs;
  };
  const head = common(was, becomes);
  const reversed = (text) => [...text.slice(head)].reverse().join('');
  const tail = common(reversed(was), reversed(becomes));
  const [from, to] = [at + head, Math.max(at + head, at + was.length - tail)];
  const others = new Set([...nodesIn(program(changed))].map(({ node }) => `${node.start}-${node.end} ${isExpression(node)}`));
  const around = [...nodesIn(program(source))].filter(
    ({ node, parent, key }) =>
      node.start <= from && node.end >= to &&
      (node.type === 'BlockStatement' || (isExpression(node) && !isBare(parent, key))) &&
      others.has(`${node.start}-${node.end + shift} ${isExpression(node)}`),
  );
  if (around.length === 0) return null;
  const { node } = around.reduce((a, b) => (b.node.end - b.node.start <= a.node.end - a.node.start ? b : a));
  return { from: node.start, to: node.end, isBlock: node.type === 'BlockStatement', other: changed.slice(node.start, node.end + shift) };
}

/**
 * Puts faults that are given as texts into sources, each behind a switch. Those whose places meet cannot stand in one text: the later
 * ones are left for another round.
 * @param faults `{ id, file, was, becomes }`
 * @returns of each round, its faults and of each file its text; and those faults that no expression or block holds
 */
export function switchIn(faults) {
  const rounds = [];
  const without = [];
  for (const fault of faults) {
    const place = placeOf(readFileSync(fault.file, 'utf8'), fault);
    if (place === null) {
      without.push(fault);
      continue;
    }
    const meets = ({ fault: other, place: { from, to } }) => other.file === fault.file && from < place.to && place.from < to;
    const round = rounds.find((of) => !of.some(meets));
    if (round === undefined) rounds.push([{ fault, place }]);
    else round.push({ fault, place });
  }
  return { rounds: rounds.map((round) => ({ faults: round.map(({ fault }) => fault), texts: textsOf(round) })), without };
}

function textsOf(round) {
  const texts = {};
  for (const { fault, place } of [...round].sort((a, b) => b.place.from - a.place.from)) {
    const text = texts[fault.file] ?? readFileSync(fault.file, 'utf8');
    const { from, to, isBlock, other } = place;
    const on = `globalThis.__planted(${JSON.stringify(fault.id)})`;
    const own = text.slice(from, to);
    texts[fault.file] = `${text.slice(0, from)}${isBlock ? `{ if (${on}) ${other} else ${own} }` : `(${on} ? (${other}) : (${own}))`}${text.slice(to)}`;
  }
  return texts;
}
