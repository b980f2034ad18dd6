"""What Python's Jinja makes of chat templates, called as transformers calls it.

    pip install jinja2
    python3 tools/golden/chat_templates.py test/golden/chat-templates.json

The environment is that of transformers/utils/chat_template_utils.py (trimmed blocks, loop controls, its `tojson` and
`raise_exception`); `text` is null where Python refuses.

Made with Python 3.11, jinja2 3.1.6.
"""

import json
import sys
from pathlib import Path

import jinja2
import jinja2.ext
from jinja2.sandbox import ImmutableSandboxedEnvironment

MESSAGES = [
    {"role": "system", "content": " Be brief. "},
    {"role": "user", "content": 'Hi "you" <b>&amp; \u00e9'},
    {"role": "assistant", "content": "<think>x</think>\n\nYo"},
    {"role": "user", "content": "3 + 4?\n"},
]

TEMPLATES = [
    "{{ tools is defined }}",
    "{{ tools is none }}",
    "{% if tools is not none %}T{% endif %}",
    "{% if tools %}T{% else %}N{% endif %}",
    "{{ documents is defined }} {{ documents is none }}",
    "{{ foo is defined }}",
    "{{ foo }}|",
    "{{ messages[0].foo }}|",
    "{{ messages[0]['foo'] is defined }}",
    "{{ messages[9] }}",
    "{{ messages[-1].role }}",
    "{{ messages[1:]|length }}",
    "{{ messages[::-1][0].content }}",
    "{{ messages[0].content.strip() }}|",
    "{{ messages[0].content|trim }}|",
    "{{ messages|tojson }}",
    "{{ messages[0]|tojson(indent=2) }}",
    "{{ messages[1].content|tojson }}",
    "{{ messages[1].content|e }}",
    "{{ messages|map(attribute='role')|list }}",
    "{{ messages|map(attribute='role')|join(', ') }}",
    "{{ messages|selectattr('role','equalto','user')|list|length }}",
    "{{ messages|rejectattr('role','equalto','user')|map(attribute='content')|list }}",
    "{{ (messages|last).role }}",
    "{% for m in messages %}{{ loop.index }}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.revindex }}{{ loop.revindex0 }};{% endfor %}",
    "{% for m in messages %}{{ loop.previtem.role if loop.previtem is defined }}-{{ loop.nextitem.role if loop.nextitem is defined }};{% endfor %}",
    "{% for m in messages if m.role=='user' %}{{ loop.index }}{{ m.content }}{% else %}E{% endfor %}",
    "{% for m in messages %}{% if loop.index0 == 1 %}{% continue %}{% endif %}{% if loop.index0==3 %}{% break %}{% endif %}{{ m.role }}{% endfor %}",
    "{% set ns = namespace(a=0) %}{% for m in messages %}{% set ns.a = ns.a + 1 %}{% endfor %}{{ ns.a }}",
    "{% set x = 1 %}{% for m in messages %}{% set x = 2 %}{% endfor %}{{ x }}",
    "{% if true %}{% set x = 5 %}{% endif %}{{ x }}",
    "{% macro f(a,b='q') %}[{{ a }}{{ b }}]{% endmacro %}{{ f('x') }}{{ f('x',b='y') }}",
    "{% macro f() %} {{ caller() }} {% endmacro %}{% call f() %}hi{% endcall %}",
    "{% filter upper %}abc{% endfilter %}",
    "{{ 'a' ~ 1 ~ none ~ true }}",
    "{{ 1.0 }} {{ 1.5 }} {{ 1e20 }} {{ 3/2 }} {{ 4/2 }} {{ 7//2 }} {{ -7//2 }} {{ -7 % 3 }} {{ 2**3 }} {{ 2**-1 }}",
    "{{ 1 == 1.0 }} {{ 'a' in 'abc' }} {{ 'x' not in ['x'] }} {{ 'role' in messages[0] }}",
    "{{ none }} {{ None }} {{ true }} {{ True }} {{ false }}",
    "{{ [1,'a',none,true,1.0] }} {{ {'a':1,'b':'x'} }} {{ (1,2) }} {{ (1,) }}",
    "{{ 'abc'[0] }} {{ 'abc'[-1] }} {{ 'abc'[1:] }} {{ 'abc'[::-1] }}",
    "{{ 'a,b'.split(',') }} {{ ' a  b '.split() }} {{ 'a b c'.split(' ',1) }}",
    "{{ 'abc'.startswith('a') }} {{ 'abc'.endswith(('c','d')) }}",
    "{{ 'abc'.replace('b','$&') }} {{ 'aaa'.replace('a','b',1) }} {{ 'abc'|replace('b','x') }}",
    "{{ 'ab'.upper() }} {{ 'AB'|lower }} {{ 'hello world'|title }} {{ 'hello World'|capitalize }} {{ 'hello'.title() }}",
    "{{ messages[2].content.split('</think>')[-1].lstrip('\\n') }}",
    "{{ '  x'.lstrip() }}|{{ 'x  '.rstrip() }}|{{ 'xxaxx'.strip('x') }}",
    "{{ '%s-%d' % ('a', 3) }}",
    "{{ '{}-{}'.format('a',3) }}",
    "{{ 'abc'.find('c') }} {{ 'abc'.find('z') }} {{ 'abca'.count('a') }} {{ 'abc'.index('b') }}",
    "{{ 'a\nb'.splitlines() }}",
    "{{ '1'|int + 1 }} {{ 'x'|int }} {{ 'x'|int(-1) }} {{ '1.5'|float }} {{ 3.7|int }} {{ 3.7|round }} {{ 3.14159|round(2) }}",
    "{{ [3,1,2]|sort }} {{ [3,1,2]|sort(reverse=true) }} {{ ['b','A']|sort }} {{ [1,2]|sum }} {{ [1,2]|max }} {{ [1,2]|min }} {{ [1,1,2]|unique|list }}",
    "{{ {'b':1,'a':2}|dictsort }} {{ {'b':1}.items() }} {{ {'b':1}|items|list }} {{ {'b':1}.keys()|list }} {{ {'a':1}.get('z','d') }} {{ {'a':1}.get('z') }}",
    "{% for k,v in {'b':1,'a':2}.items() %}{{ k }}{{ v }}{% endfor %}",
    "{{ foo|default('d') }} {{ none|default('d') }} {{ ''|default('d',true) }} {{ foo or 'q' }}",
    "{{ 'a' if false }}|{{ 'a' if true else 'b' }}",
    "{{ range(3)|list }} {{ range(1,6,2)|list }} {{ range(3) }}",
    "{{ 3 is odd }} {{ 4 is even }} {{ 'a' is string }} {{ 1 is number }} {{ 1.5 is integer }} {{ 1 is integer }} {{ true is boolean }} {{ [] is iterable }} {{ 'x' is iterable }} {{ {} is mapping }} {{ [] is sequence }} {{ 1.0 is float }} {{ none is none }} {{ 3 is divisibleby(3) }} {{ 'A' is upper }} {{ 1 is eq(1) }} {{ 2 is gt(1) }} {{ 'a' is in('abc') }}",
    "{{ true is number }} {{ true is integer }} {{ true + 1 }}",
    "a\n  {% if true %}\n  b\n  {% endif %}\nc",
    "a\n  {%- if true -%}\n  b\n  {%- endif +%}\nc",
    "a {{- ' b ' -}} c",
    "{# c #}\nx {#- y -#} z",
    "{% raw %}{{ x }}{% endraw %}",
    "{{ raise_exception('no') }}",
    "{{ 'x'|indent(2) }} {{ 'a\nb'|indent(4) }} {{ 'a\nb'|indent(2,true) }}",
    "{{ 'a b'|wordcount }} {{ 'abcdef'|truncate(4) }} {{ 'x'|center(5) }}|",
    "{{ 'abc'|first }} {{ [1,2]|last }} {{ [1,2]|random is defined }} {{ 'abc'|reverse }} {{ [1,2]|reverse|list }} {{ 'abc'|list }} {{ [1,2,3]|batch(2)|list }}",
    "{{ [[1,2],[3]]|sum(start=[]) }}",
    "{{ messages|groupby('role')|list|length }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set x %}abc{% endset %}{{ x }}",
    "{% set x = [1] %}{% set x = x + [2] %}{{ x }}",
    "{% set x = [1] %}{% set _ = x.append(2) %}{{ x }}",
    "{% set d = {'a':1} %}{% set _ = d.update({'b':2}) %}{{ d }}",
    "{% set x = dict(a=1) %}{{ x }}",
    "{{ '\u00e9'|length }} {{ '\ud83c\udf89'|length }} {{ '\ud83c\udf89a'[0] }} {{ '\ud83c\udf89a'[1:] }}",
    "{{ '\u65e5\u672c'|upper }} {{ '\u00df'.upper() }}",
    "{{ '\\n' }}|{{ '\\t' }}|{{ '\\u00e9' }}|{{ '\\x41' }}|{{ \"\\\"\" }}|{{ '\\'' }}",
    "{{ 'a''b' }}",
    "{{ not true and false or true }} {{ not (1 == 2) }} {{ 1 < 2 < 3 }}",
    "{{ 'a' < 'b' }} {{ [1,2] == [1,2] }} {{ {'a':1} == {'a':1} }}",
    "{{ 10|string ~ 'x' }} {{ 1.0|string }} {{ none|string }}",
    "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% endif %}{{ loop_messages|length }}",
    "{% with a=1 %}{{ a }}{% endwith %}",
    "{{ bos_token }}{{ eos_token }}",
    "{{ add_generation_prompt }}",
    "{{ enable_thinking is defined }} {{ enable_thinking|default(true) }}",
    "{{ messages[0].items()|list }}",
    "{{ messages[0] }}",
    "{% for c in 'abc' %}{{ c }}{% endfor %}",
    "{% for i in range(2) %}{% for j in range(2) %}{{ loop.index }}{{ i }}{% endfor %}{{ loop.index }}{% endfor %}",
    "{% for m in messages recursive %}{{ m.role }}{% endfor %}",
    "{{ loop.cycle('a','b') if loop is defined }}",
    "{% for m in messages %}{{ loop.cycle('a','b') }}{{ loop.changed(m.role) }}{% endfor %}",
    "{{ 'a' is defined and 'b' }}",
    "{{ [] or 'empty' }} {{ '' and 'x' }}|{{ 0 or none }}",
    "{{ '<>' | safe }} {{ '<>'|forceescape }} {{ 'a b'|urlencode }}",
    "{{ {'z':1,'a':[1,2,{'q':none}]}|tojson }} {{ '\u00e9\"\\n'|tojson }} {{ true|tojson }} {{ '</script>&\\''|tojson }}",
    "{{ {'z':1,'a':[1,2]}|tojson(indent=4,sort_keys=true) }}",
    "{{ {'a':1}|tojson(separators=(',',':')) }} {{ '\u00e9'|tojson(ensure_ascii=true) }}",
    "{{ messages[1].content.__class__ }}",
    "{{ 'abc'|select('eq','b')|list }} {{ [1,2,3]|select('odd')|list }} {{ [0,1]|reject|list }}",
    "{{ 5 // 0 }}",
    "{{ 'x' + 1 }}",
    "{{ messages.foo }}|",
    "{{ messages[0].content.foo }}|",
    "{{ foo + 'a' }}",
    "{% for x in foo %}a{% endfor %}|",
    "{{ foo|length }}",
    "{{ 1 if foo else 2 }}",
    "{{ foo == none }} {{ foo is none }} {{ foo == '' }}",
    "{{ 'a' in foo }}",
    "{%- for message in messages -%}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{%- endfor -%}",
    "{{ messages | map('upper') | list }}",
    "{{ messages|length % 2 == 0 }}",
    "{{ (messages|length) is even }}",
    "{{ messages[0]['content'][:3] }}{{ messages[0].content[1:-1] }}",
    "{{ '%.2f'|format(3.14159) }}",
    "{{ 'a'*3 }} {{ [1]*2 }}",
    "{{ namespace(x=1).x }}",
    "{{ cycler('a','b').next() }}",
    "{{ joiner(',')() }}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{% import 'x' as y %}",
    "{{ 1_000 }} {{ 0x1f }} {{ 0b11 }} {{ .5 }}",
    "{{ 'a' 'b' }}",
    "{{ messages | tojson | length }}",
    "{{ -1|abs }} {{ 2.5|round }} {{ 3.5|round|int }} {{ -2.5|round }} {{ 1.25|round(1) }}",
    "{{ 3.0 * 2 }} {{ 10/5 }} {{ 10/4 }} {{ 0.1+0.2 }} {{ 1e16 }} {{ 123456789012345678901234567890 }}",
    "{{ '\\ufeffa'.strip() == '\\ufeffa' }}",
    "{{ '\\x85a\\x1c'.strip() }}",
    "{{ ' a\\n'.strip('\\n') }}|{{ ' \\n a'.lstrip('\\n ') }}",
    "{{ messages[0].tool_calls != none }}",
    "{{ '1' == 1 }} {{ true == 1 }}",
    "{{ messages[0] == messages[0] }}",
    "{{ messages[1].content|length }}",
    "{{ ' a '|trim ~ 1 ~ true }}",
    "{{ [1,true]|join('-') }}",
    "{{ none|string }}{{ true|string }}",
]


def raise_exception(message):
    raise jinja2.exceptions.TemplateError(message)


def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def rendered(environment, template):
    try:
        return environment.from_string(template).render(
            messages=json.loads(json.dumps(MESSAGES)),
            tools=None,
            documents=None,
            add_generation_prompt=True,
            bos_token="<s>",
        )
    except Exception:
        return None


def main(path):
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    cases = [{"template": each, "text": rendered(environment, each)} for each in TEMPLATES]
    origin = {"origin": "tools/golden/chat_templates.py", "jinja2": jinja2.__version__}
    made = {**origin, "messages": MESSAGES, "cases": cases}
    Path(path).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


main(sys.argv[1])
