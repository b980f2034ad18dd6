import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Control } from '../setting/controls.js';
import type { Named } from '../worker/view.js';

/** A field with its name above it and what it means below. */
export function Field({
  name,
  about,
  children,
}: {
  name: string;
  about?: string;
  children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is among the children
    <label class="field" title={about}>
      <span>{name}</span>
      {children}
    </label>
  );
}

interface ChoiceProps {
  readonly name: string;
  readonly about?: string;
  readonly value: string;
  readonly choices: readonly (string | Named)[];
  onChange(value: string): void;
}

export function Choice({ name, about, value, choices, onChange }: ChoiceProps) {
  const named = choices.map((choice) => (typeof choice === 'string' ? { name: choice, about: '' } : choice));
  const chosen = named.find((choice) => choice.name === value);
  return (
    <Field name={name} about={about}>
      <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {named.map((choice) => (
          <option key={choice.name} value={choice.name}>
            {choice.name}
          </option>
        ))}
      </select>
      {chosen?.about ? <small>{chosen.about}</small> : null}
    </Field>
  );
}

interface NumberProps {
  readonly name: string;
  readonly about?: string;
  readonly value: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly whole: boolean;
  readonly nullable?: boolean;
  readonly unit?: string;
  onChange(value: number | null): void;
}

/** A slider where both ends are known and near, else a field. What is out of bounds is not passed on. */
export function NumberField({
  name,
  about,
  value,
  min,
  max,
  whole,
  nullable = false,
  unit,
  onChange,
}: NumberProps) {
  const [text, setText] = useState(value === null ? '' : String(value));
  useEffect(() => setText(value === null ? '' : String(value)), [value]);
  const slides = min !== null && max !== null && max > min && max - min <= 1e6;
  const step = whole ? 1 : slides ? (max - min) / 200 : 'any';
  const fault = faultOf(text, { min, max, whole, nullable });
  const commit = (typed: string) => {
    setText(typed);
    if (faultOf(typed, { min, max, whole, nullable }) !== null) return;
    const next = typed.trim() === '' ? null : Number(typed);
    if (next !== value) onChange(next);
  };
  return (
    <Field name={unit ? `${name}, ${unit}` : name} about={about}>
      <span class="number-field">
        {slides ? (
          <input
            type="range"
            min={min}
            max={max}
            step={step}
            value={text === '' ? min : text}
            aria-label={`${name}, slider`}
            onInput={(event) => setText(shortened(event.currentTarget.value, whole))}
            onChange={(event) => commit(shortened(event.currentTarget.value, whole))}
          />
        ) : null}
        <input
          type="text"
          inputMode="decimal"
          value={text}
          placeholder={nullable ? 'none' : undefined}
          aria-label={name}
          aria-invalid={fault !== null}
          onInput={(event) => setText(event.currentTarget.value)}
          onChange={(event) => commit(event.currentTarget.value)}
        />
      </span>
      {fault === null ? null : <small class="fault">{fault}</small>}
    </Field>
  );
}

function shortened(text: string, whole: boolean): string {
  return whole ? text : String(Number(Number(text).toPrecision(4)));
}

/** Why a text is no value; null when it is one. */
export function faultOf(
  text: string,
  { min, max, whole, nullable }: Pick<NumberProps, 'min' | 'max' | 'whole'> & { readonly nullable: boolean },
): string | null {
  if (text.trim() === '') return nullable ? null : 'a number is needed';
  const value = Number(text);
  if (!Number.isFinite(value) || (whole && !Number.isInteger(value)))
    return whole ? 'a whole number' : 'a number';
  if ((min !== null && value < min) || (max !== null && value > max)) {
    if (min !== null && max !== null) return `from ${min} to ${max}`;
    return min !== null ? `at least ${min}` : `at most ${max}`;
  }
  return null;
}

/** An option of a policy, as its schema says. */
export function OptionField({ control, onChange }: { control: Control; onChange(value: unknown): void }) {
  const { path, description, value, input } = control;
  if (input.kind === 'choice')
    return (
      <Choice
        name={path}
        about={description}
        value={String(value)}
        choices={input.choices}
        onChange={onChange}
      />
    );
  if (input.kind === 'flag')
    return (
      <Field name={path} about={description}>
        <input
          type="checkbox"
          checked={value === true}
          onChange={(event) => onChange(event.currentTarget.checked)}
        />
      </Field>
    );
  if (input.kind === 'part')
    return (
      <Field name={path} about={description}>
        <input
          type="checkbox"
          checked={value !== null}
          onChange={(event) => onChange(event.currentTarget.checked ? {} : null)}
        />
      </Field>
    );
  const { min, max, whole, nullable } = input;
  return (
    <NumberField
      name={path}
      about={description}
      value={value as number | null}
      min={min}
      max={max}
      whole={whole}
      nullable={nullable}
      onChange={onChange}
    />
  );
}
