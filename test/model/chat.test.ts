import { describe, expect, it } from 'vitest';
import { promptIds, usualFormat } from '../../src/model/chat.js';
import { type ModelText, NO_TEXT } from '../../src/model/model-text.js';
import { createTokenizer, parseTokenizerJson } from '../../src/model/tokenizer.js';
import { buildTokenizerJson } from '../../src/score/tokenizer-json.js';

const json = parseTokenizerJson(JSON.stringify(buildTokenizerJson()), 'test');
const tokenizer = createTokenizer(json, 'test');
const side = (template: string | null, settings: ModelText['settings'] = {}) => ({
  tokenizer,
  arch: 'llada' as const,
  text: {
    ...NO_TEXT,
    settings,
    templates: template === null ? new Map<string, string>() : new Map([['default', template]]),
  },
});
const TURNS =
  "{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m['role'] }}<|end_header_id|>{{ m['content'] }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>{% endif %}";
const SETTINGS = { bos_token: { content: '<|startoftext|>' } };

describe('a prompt', () => {
  it('is framed by the template of the file, turn by turn', () => {
    const ids = promptIds(side(TURNS, SETTINGS), 'file', [
      { role: 'system', content: 'sort' },
      { role: 'user', content: 'owl' },
      { role: 'assistant', content: 'elk' },
      { role: 'user', content: 'ant' },
    ]);
    expect(tokenizer.decode(ids, { skipSpecial: false })).toMatch(
      /^<\|startoftext\|><\|start_header_id\|> ?system<\|end_header_id\|> ?sort<\|eot_id\|>.*owl.*elk.*ant<\|eot_id\|><\|start_header_id\|> ?assistant<\|end_header_id\|>$/,
    );
    expect(promptIds(side(TURNS, SETTINGS), 'file', 'owl')).toEqual(
      promptIds(side(TURNS, SETTINGS), 'file', [{ role: 'user', content: 'owl' }]),
    );
  });

  it('is refused where the template writes markers that are no tokens, or refuses itself', () => {
    const foreign = side('<|im_start|>{{ messages[0].content }}<|im_end|>');
    expect(() => promptIds(foreign, 'file', 'owl')).toThrow(/<\|im_start\|>, which is no token/);
    const strict = side("{{ raise_exception('only one turn') }}");
    expect(() => promptIds(strict, 'file', 'owl')).toThrow(/only one turn/);
    expect(() => promptIds(side('{% if %}'), 'file', 'owl')).toThrow(/cannot be read/);
  });

  it('may look like a marker itself', () => {
    expect(promptIds(side('{{ messages[0].content }}'), 'file', 'a <|im_start|>')).toEqual(
      tokenizer.encode('a <|im_start|>'),
    );
  });

  it('begins with the start of text where the settings say so', () => {
    const text = { add_bos_token: true, bos_token: '<|startoftext|>' };
    expect(promptIds(side(null, text), 'none', 'owl')).toEqual([
      tokenizer.id('<|startoftext|>'),
      ...tokenizer.encode('owl'),
    ]);
    expect(promptIds(side(null, { ...text, add_bos_token: false }), 'none', 'owl')).toEqual(
      tokenizer.encode('owl'),
    );
  });

  it('has what the post-processor puts around a text, unless the settings say otherwise', () => {
    const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } });
    const single = [special('<|startoftext|>'), { Sequence: { id: 'A', type_id: 0 } }, special('<|eot_id|>')];
    const post_processor = { type: 'TemplateProcessing', single, pair: single, special_tokens: {} };
    const around = createTokenizer({ ...json, post_processor }, 'test');
    const ids = (settings: ModelText['settings'], text = 'owl') =>
      promptIds({ ...side(null, settings), tokenizer: around }, 'none', text).map((id) => around.token(id));
    expect(ids({})).toEqual(['<|startoftext|>', 'Ġowl', '<|eot_id|>']);
    expect(ids({}, '')).toEqual(['<|startoftext|>', '<|eot_id|>']);
    expect(ids({ add_bos_token: false })).toEqual(['Ġowl', '<|eot_id|>']);
    expect(ids({ add_eos_token: false })).toEqual(['<|startoftext|>', 'Ġowl']);
    expect(ids({ add_eos_token: true, eos_token: '<|endoftext|>' }).at(-1)).toBe('<|endoftext|>');
    expect(() => ids({ add_bos_token: true })).toThrow(/add_bos_token is set, but no such token is named/);
    expect(() => ids({ add_bos_token: true, bos_token: '<s>' })).toThrow(/the vocabulary has no <s>/);
  });

  it('takes one of several templates by its name, and says which there are', () => {
    const many = { ...side(null, SETTINGS) };
    const templates = new Map([
      ['rag', 'rag {{ messages[0].content }}'],
      ['tool_use', TURNS],
    ]);
    const text = { ...many.text, templates };
    expect(usualFormat({ ...many, text })).toBe('file');
    expect(() => promptIds({ ...many, text }, 'file', 'owl')).toThrow(
      /none of its chat templates is the usual one: name one with --template \(rag, tool_use\)/,
    );
    expect(promptIds({ ...many, text }, 'rag', 'owl')).toEqual(tokenizer.encode('rag owl'));
    expect(promptIds({ ...many, text }, 'tool_use', 'owl')).toEqual(
      promptIds(side(TURNS, SETTINGS), 'file', 'owl'),
    );
    expect(() => promptIds({ ...many, text }, 'rug', 'owl')).toThrow(
      /unknown template "rug": did you mean rag/,
    );
    const clash = { ...text, templates: new Map([['none', 'x']]) };
    expect(() => promptIds({ ...many, text: clash }, 'none', 'owl')).toThrow(/means something else/);
  });

  it('has the usual framing of what the files have; several turns need a template', () => {
    expect(usualFormat(side(TURNS))).toBe('file');
    expect(usualFormat(side(null))).toBe('plain');
    for (const format of ['none', 'plain', 'chat'] as const)
      expect(() =>
        promptIds(side(null), format, [
          { role: 'system', content: 'a' },
          { role: 'user', content: 'b' },
        ]),
      ).toThrow(/--template file/);
    expect(() => promptIds(side(null), 'file', 'a')).toThrow(/no chat template/);
  });
});
