import { parameterCount } from '../../../src/model/closed-forms.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { isPresetName, presetNames, resolvePreset } from '../../../src/model/presets.js';
import type { PublishedRow } from '../published.js';
import { NotModelled } from './refusal.js';

/** Shapes that a row is timed with. */
export interface ModelReading {
  readonly shapes: ModelConfig;
  /** The shapes are those of another model of the same size. */
  readonly substitute: boolean;
  readonly note: string | null;
}

/** Names that sources write in many ways, and fine-tunes, with the model they have the shapes of. */
const FINE_TUNES: readonly (readonly [RegExp, string])[] = [
  [/^phi-?3(\.\d)?-(mini|3b|3\.8b)/, 'phi-3.5-mini'],
  [/^phi-?4-mini/, 'phi-4-mini'],
  [/^tiny-?llama/, 'tinyllama-1.1b'],
  [/^smollm3/, 'smollm3-3b'],
  [/^gemma-1\.1-2b/, 'gemma-2b'],
  [/^qwen2(-vl)?-0\.5b/, 'qwen2.5-0.5b'],
  [/^qwen2-vl-2b/, 'qwen2-1.5b'],
  [/^qwen2-vl-7b/, 'qwen2-7b'],
  [/^qwen2\.5-(coder|math|vl|omni)-(7b)/, 'qwen2.5-7b'],
  [/^qwen2\.5-(coder|math|vl|omni)-(3b)/, 'qwen2.5-3b'],
  [/^qwen2\.5-(coder|math)-(1\.5b)/, 'qwen2.5-1.5b'],
  [/^qwen2\.5-(coder|math)-(0\.5b)/, 'qwen2.5-0.5b'],
  // The text model of Qwen3-VL is that of Qwen3.
  [/^qwen3-vl-2b/, 'qwen3-1.7b'],
  [/^qwen3-vl-4b/, 'qwen3-4b'],
  [/^qwen3-vl-8b/, 'qwen3-8b'],
  [/^internlm2\.5-1\.8b/, 'internlm2-1.8b'],
  [/^code-?llama-7b|^wizardlm-7b|^llama-7b/, 'llama-2-7b'],
  [/^code-?llama-13b|^llama-13b/, 'llama-2-13b'],
  [/^zephyr-7b|^openchat|^openhermes.*(7b|mistral)|^mistral$/, 'mistral-7b'],
  [/^dream\b.*7b/, 'dream-7b'],
  // As llama-bench prints them.
  [/^llama-8b/, 'llama-3.1-8b'],
  [/^llama-3b/, 'llama-3.2-3b'],
  [/^llama-1b/, 'llama-3.2-1b'],
  [/(taide|elyza).*8b/, 'llama-3-8b'],
  [/sea-lion.*8b/, 'llama-3.1-8b'],
  [/granite.*8b/, 'granite-3.1-8b'],
  [/hermes.*8b|dolphin.*8b/, 'llama-3.1-8b'],
  [/vicuna-7b|alpaca-7b/, 'llama-2-7b'],
];

/** Not language models, or not as a transformer of text. */
const NO_TEXT =
  /whisper|stable-?diffusion|\bsd[ -]?(1\.5|xl)|yolo|resnet|mobilenet|inception|clip\b|vit-|kokoro|tts|bark|wav2vec|segment/;

/** @throws NotModelled for what is no language model, or for a model of unknown size */
export function modelOf(row: PublishedRow): ModelReading {
  const full = spelled(row.model);
  const name = plainName(full);
  if (NO_TEXT.test(name)) throw new NotModelled(`"${row.model}" is no model of text`);
  const known = presetFor(name) ?? presetFor(full);
  if (known !== null) return { shapes: resolvePreset(known), substitute: false, note: null };
  const size = sizeOf(row);
  if (size === null) throw new NotModelled(`no graph for model "${row.model}", and its size is not stated`);
  const shapes = ofSize(size.active);
  const moe = size.total > size.active ? ' (the parameters that a token meets)' : '';
  return {
    shapes,
    substitute: true,
    note: `no graph for "${row.model}": shapes of ${shapes.name}, layers scaled to ${size.active} billion parameters${moe}`,
  };
}

/** A name in the spelling of presets. */
function spelled(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/\(.*?\)/g, '')
      .replace(/^.*\//, '')
      .replace(/[\s_:]+/g, '-')
      // `llama_v3_2_3b`, `qwen2_5_7b`, `jais_6p7b`.
      .replace(/(\d)p(\d+b)\b/g, '$1.$2')
      .replace(/\b([a-z]+-?v?\d)-(\d)(?=-(\d+(\.\d+)?b|mini)\b)/, '$1.$2')
      .replace(/^meta-/, '')
      .replace(/\bllama-?v?-?(\d)/, 'llama-$1')
      .replace(/^qwen-?(\d)/, 'qwen$1')
      .replace(/^gemma-?(\d)-?(\d+b|e\d)/, 'gemma-$1-$2')
      .replace(/-{2,}/g, '-')
      .replace(/^-|-+$/g, '')
  );
}

/** The same without what does not change shapes: what it was tuned for, and versions of the tuning. */
function plainName(name: string): string {
  return name
    .replace(
      /-?(instruct|chat|it|hf|base|gguf|mtp|thinking|reasoning|2507|2512|0528|v\d+(\.\d+)?)(?=-|$)/g,
      '',
    )
    .replace(/-{2,}/g, '-')
    .replace(/^-|-+$/g, '');
}

function presetFor(name: string): string | null {
  if (isPresetName(name)) return name;
  const tuned = FINE_TUNES.find(([pattern]) => pattern.test(name))?.[1];
  if (tuned !== undefined) return tuned;
  // A name with more around it: qwen3-4b-q4, llama-2-7b.q4_0, hermes-3-llama-3.2-3b.
  const longest = presetNames()
    .filter((preset) => `-${name}-`.includes(`-${preset}-`) || name.startsWith(`${preset}.`))
    .sort((a, b) => b.length - a.length)[0];
  return longest ?? null;
}

/** Billions of parameters, and of those a token meets. */
export function sizeOf(row: PublishedRow): { total: number; active: number } | null {
  const stated = Number.parseFloat(row.params_b) / (/^\s*[\d.]+\s*m\b/i.test(row.params_b) ? 1000 : 1);
  const named = /(\d+(?:\.\d+)?)\s*b\b/i.exec(row.model);
  const millions = /(\d+(?:\.\d+)?)\s*m\b/i.exec(row.model);
  const total = Number.isFinite(stated)
    ? stated
    : named !== null
      ? Number(named[1])
      : millions !== null
        ? Number(millions[1]) / 1000
        : Number.NaN;
  if (!(total > 0)) return null;
  // `30B-A3B` runs 3 billion a token; `E2B` is 2 billion beside tables of which a token looks up a row.
  const active = /\b[ae](\d+(?:\.\d+)?)b\b/i.exec(row.model);
  return { total, active: active === null ? total : Math.min(total, Number(active[1])) };
}

/** Families with many sizes, dense and plain: what a model of unknown shapes is likely to look like. */
const PLAIN = /^(qwen3|qwen2\.5|llama-3)/;

function ofSize(billions: number): ModelConfig {
  const plain = presetNames()
    .filter((name) => PLAIN.test(name))
    .map(resolvePreset)
    .filter(({ moe }) => moe === undefined);
  const distance = (config: ModelConfig): number =>
    Math.abs(Math.log(parameterCount(config).total / 1e9 / billions));
  const nearest = plain.reduce((best, each) => (distance(each) < distance(best) ? each : best));
  const layers = Math.max(1, Math.round((nearest.layers * billions * 1e9) / parameterCount(nearest).total));
  return { ...nearest, layers };
}
