import { describe, expect, it } from 'vitest';
import { renderTemplate } from '../../src/model/chat-template.js';
import { NO_TEXT } from '../../src/model/model-text.js';
import { TEMPLATE_LIMITS } from '../../src/model/templates/guest.js';
import { renderInSandbox } from '../../src/model/templates/sandbox.js';

const grown = (times: number, then: string): string =>
  `{% set ns = namespace(x='aaaaaaaaaa') %}{% for i in range(${times}) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ${then} }}`;

/** Templates that take what a machine has, and what is said of them. */
const HOSTILE: Readonly<Record<string, readonly [string, RegExp]>> = {
  'a loop without end': [
    '{% for i in range(9999) %}{% for j in range(9999) %}{% set k = i * j %}{% endfor %}{% endfor %}',
    /more than 1 s|64 MB/,
  ],
  'a list of a thousand million': ['{% for i in range(10**9) %}{{ i }}{% endfor %}', /64 MB|more than 1 s/],
  'a text that doubles': [grown(60, 'ns.x'), /more than 4000000 characters/],
  'a long text in capitals': [grown(25, 'ns.x|upper|length'), /more than 4000000 characters/],
  'a text put into itself': [grown(11, "ns.x|replace('a', ns.x)|length"), /more than 4000000 characters/],
  'a list joined by a text': [grown(11, 'range(20000)|join(ns.x)|length'), /more than 4000000 characters/],
  'a list that doubles': [
    '{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x|length }}',
    /64 MB|more than 1 s/,
  ],
  'a list in a list in a list': [
    '{% set ns = namespace(x=[1, 2]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x|tojson }}',
    /more than 4000000 characters|64 MB|more than 1 s/,
  ],
  'a wide indent': ["{{ {'a': 1}|tojson(indent=1000000000) }}", /more than 4000000 characters/],
  'brackets in brackets': [`{{ ${'('.repeat(20_000)}1${')'.repeat(20_000)} }}`, /nested too deeply/],
};

describe('a chat template is a program of a stranger', () => {
  it.each(Object.entries(HOSTILE))('%s: ends with what it takes too much of', (_, [source, said]) => {
    const answer = renderInSandbox(source, { messages: [] });
    expect(answer).toMatchObject({ fault: 'limit', reason: expect.stringMatching(said) });
  });

  it('and the next one is rendered as if nothing had been', () => {
    renderInSandbox(HOSTILE['a list of a thousand million'][0], {});
    const long = 'ä\u2028\ud800"'.repeat(100_000);
    expect(renderInSandbox('{{ a }}{{ b|replace("x", "$&") }}', { a: long, b: 'xx' })).toEqual({
      text: `${long}$&$&`,
    });
  });

  it('reaches nothing but its values', () => {
    for (const name of ['process', 'require', 'globalThis', 'constructor', '__proto__'])
      expect(renderInSandbox(`{{ ${name} is defined }}{{ x.${name} is defined }}`, { x: {} })).toEqual({
        text: 'FalseFalse',
      });
    expect(renderInSandbox("{{ ''.constructor.constructor('return process')() }}", {})).toHaveProperty(
      'fault',
    );
  });

  it('is refused by the name of its model, with what to do', () => {
    const text = {
      ...NO_TEXT,
      label: 'x.gguf',
      templates: new Map([['default', HOSTILE['a text that doubles'][0]]]),
    };
    expect(() => renderTemplate(text, [{ role: 'user', content: 'a' }])).toThrow(
      `x.gguf: its chat template makes a text of more than ${TEMPLATE_LIMITS.characters} characters: take --template chat, plain or none`,
    );
  });
});
