import { useState } from 'preact/hooks';
import type { Setting } from '../setting/setting.js';
import type { Catalogue, Described, NumberView } from '../worker/view.js';
import { Choice, Field, NumberField, OptionField } from './fields.js';
import { plain } from './format.js';

interface Props {
  readonly letter: string;
  readonly catalogue: Catalogue;
  readonly described: Described;
  /** Why the setting as it stands is refused; null when it is decoded. */
  readonly fault: string | null;
  onChange(setting: Setting): void;
}

/** Options that the first glance needs; the rest is folded away. */
const FIRST = [
  'blockLength',
  'commit.kind',
  'commit.visible',
  'commit.stable',
  'commit.tau',
  'speculate.kind',
  'refresh.kind',
  'logits',
];

/** Everything that a decode depends on, as fields. */
export function SettingsPanel({ letter, catalogue, described, fault, onChange }: Props) {
  const { setting, controls } = described;
  const change = (part: Partial<Setting>) => onChange({ ...setting, ...part });
  const option = (path: string, value: unknown) => {
    if (path === 'blockLength') return change({ blockLength: Number(value) });
    // Another rule, or a part that comes or goes, starts with its own defaults: what was set below it goes.
    const below = path.endsWith('.kind') ? path.slice(0, -'kind'.length) : `${path}.`;
    const kept = Object.entries(setting.options).filter(([known]) => !known.startsWith(below));
    change({ options: Object.fromEntries([...kept, [path, value]]) as Setting['options'] });
  };
  const first = controls.filter(({ path }) => FIRST.includes(path));
  const rest = controls.filter(({ path }) => !FIRST.includes(path));
  const changed = Object.keys(setting.options).length + (setting.blockLength === null ? 0 : 1);
  return (
    <section class="settings panel" aria-labelledby="settings-title">
      <h2 id="settings-title">Setting {letter}</h2>
      {fault === null ? null : (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      <PromptFields described={described} change={change} />
      <fieldset>
        <legend>How it decodes</legend>
        <Choice
          name="policy"
          value={setting.policy}
          choices={catalogue.policies}
          onChange={(policy) => change({ policy, options: {}, blockLength: null })}
        />
        {changed > 0 ? (
          <button type="button" class="small" onClick={() => change({ options: {}, blockLength: null })}>
            Undo {changed} {changed === 1 ? 'change' : 'changes'}
          </button>
        ) : null}
        {first.map((control) => (
          <OptionField
            key={control.path}
            control={control}
            onChange={(value) => option(control.path, value)}
          />
        ))}
        <details>
          <summary>{rest.length} more options</summary>
          {rest.map((control) => (
            <OptionField
              key={control.path}
              control={control}
              onChange={(value) => option(control.path, value)}
            />
          ))}
        </details>
      </fieldset>
      <fieldset>
        <legend>What times it</legend>
        <Choice
          name="model shapes"
          value={setting.costModel}
          choices={catalogue.models}
          onChange={(costModel) => change({ costModel })}
        />
        <Choice
          name="weight format"
          value={setting.quant}
          choices={catalogue.quants}
          onChange={(quant) => change({ quant: quant as Setting['quant'] })}
        />
        <Choice
          name="chip"
          value={setting.profile}
          choices={catalogue.chips}
          onChange={(profile) => change({ profile, numbers: {} })}
        />
        <Choice
          name="software"
          value={setting.stack}
          choices={catalogue.stacks}
          onChange={(stack) => change({ stack, numbers: {} })}
        />
        <Choice
          name="memory"
          value={setting.memory}
          choices={catalogue.memories}
          onChange={(memory) => change({ memory: memory as Setting['memory'] })}
        />
        {setting.memory === 'somr' ? (
          <Choice
            name="residents"
            value={setting.placement}
            choices={catalogue.placements}
            onChange={(placement) => change({ placement: placement as Setting['placement'] })}
          />
        ) : null}
        <Numbers described={described} change={change} />
      </fieldset>
    </section>
  );
}

function PromptFields({ described, change }: { described: Described; change(part: Partial<Setting>): void }) {
  const { setting, prompt } = described;
  const own = setting.prompt !== null;
  return (
    <fieldset>
      <legend>What is asked</legend>
      <Choice
        name="prompt"
        value={own ? 'own text' : `problem ${setting.problem}`}
        choices={[
          ...[...new Set([...Array(12).keys(), setting.problem])].map((n) => `problem ${n}`),
          'own text',
        ]}
        onChange={(choice) =>
          change(
            choice === 'own text'
              ? { prompt }
              : { prompt: null, problem: Number(choice.slice('problem '.length)) },
          )
        }
      />
      <Field
        name={own ? 'your text' : 'its text'}
        about="The shipped model knows seven tasks and some four hundred words"
      >
        <textarea
          rows={5}
          value={prompt}
          onChange={(event) => change({ prompt: event.currentTarget.value })}
          aria-label="text of the prompt"
        />
        <small>
          A tiny model trained for this: flip, go, sort, pick, count, calc and find. Change a word and it
          answers anew.
        </small>
      </Field>
      <NumberField
        name="tokens to generate"
        value={setting.genLength}
        min={32}
        max={128}
        whole
        onChange={(genLength) => change({ genLength: genLength ?? 128 })}
      />
    </fieldset>
  );
}

/** Any number of chip and software, within what its source leaves open. */
function Numbers({ described, change }: { described: Described; change(part: Partial<Setting>): void }) {
  const { setting, numbers } = described;
  const [word, setWord] = useState('');
  const set = setting.numbers;
  const shown = numbers.filter(({ name }) =>
    word === '' ? name in set : name.toLowerCase().includes(word.toLowerCase()),
  );
  const put = (number: NumberView, value: number | null) => {
    const { [number.name]: _, ...others } = set;
    change({
      numbers: value === null || value === number.value ? others : { ...others, [number.name]: value },
    });
  };
  return (
    <details open={Object.keys(set).length > 0}>
      <summary>
        Set any of {numbers.length} numbers
        {Object.keys(set).length > 0 ? ` (${Object.keys(set).length} set)` : ''}
      </summary>
      <Field name="find" about="by a part of its name">
        <input
          type="search"
          value={word}
          placeholder="dma, window, threads ..."
          onInput={(event) => setWord(event.currentTarget.value)}
        />
      </Field>
      {shown.slice(0, 20).map((number) => (
        <div key={number.name} class="one-number">
          <NumberField
            name={number.name}
            unit={number.unit}
            about={number.source}
            value={Number(set[number.name] ?? number.value)}
            min={number.range?.[0] ?? 0}
            max={number.range?.[1] ?? null}
            whole={false}
            onChange={(value) => put(number, value)}
          />
          <small>
            {number.kind}, shipped as {number.text}
            {number.range === null ? '' : `, from ${plain(number.range[0])} to ${plain(number.range[1])}`}
          </small>
        </div>
      ))}
      {shown.length > 20 ? <small>{shown.length - 20} more: type more of the name</small> : null}
    </details>
  );
}
