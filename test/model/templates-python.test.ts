import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderTemplate } from '../../src/model/chat-template.js';
import { NO_TEXT } from '../../src/model/model-text.js';

const golden = JSON.parse(
  readFileSync(new URL('../golden/chat-templates.json', import.meta.url), 'utf8'),
) as {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly cases: readonly { readonly template: string; readonly text: string | null }[];
};

const render = (template: string): string | null => {
  const text = {
    ...NO_TEXT,
    settings: { bos_token: '<s>' },
    templates: new Map([['default', template]]),
  };
  try {
    return renderTemplate(text, golden.messages);
  } catch {
    return null;
  }
};

it("a chat template says what Python's Jinja says, or is refused", () => {
  const rendered = golden.cases.map(({ template, text }) => ({ template, text, made: render(template) }));
  expect(rendered.filter(({ text, made }) => made !== null && made !== text)).toEqual([]);
  const both = rendered.filter(({ made }) => made !== null);
  expect(both.length).toBeGreaterThan(75);
});

it.each([
  ['{{ messages }}', /prints a list, a dictionary or a function, which only Python writes/],
  ["{{ 'a' + 1 }}", /adds a text and IntegerValue/],
  ["{{ ['a', true]|join }}", /it joins BooleanValues/],
  ["{{ '🎉a'[0] }}", /signs beyond U\+FFFF/],
  ["{{ '🎉a'[1:] }}", /signs beyond U\+FFFF/],
  ['{{ -7 % 3 }}', /remainder of a negative number/],
])('%s is refused by what it does', (template, why) => {
  const text = { ...NO_TEXT, templates: new Map([['default', template]]) };
  expect(() => renderTemplate(text, golden.messages)).toThrow(why);
});
