import { decode } from '../../../src/decode/method/session.js';
import { UsageError } from '../../../src/errors.js';
import { fileSha256 } from '../../../src/model/load.js';
import { type Proportion, wilson } from '../../../src/score/statistics/proportion.js';
import { project } from '../../../src/util/project-root.js';
import { openEngine, openModel, openPolicy, openSpec } from '../../lab/open.js';
import type { DeciderSetup } from '../../lab/setup.js';
import { type MaskedText, maskText } from './masking.js';

export interface RecoveryOptions {
  readonly model: string;
  readonly engine: DeciderSetup['engine'];
  readonly policies: readonly string[];
  /** Shares of the tokens that are masked, 0 to 1. */
  readonly shares: readonly number[];
  /** Maskings of every text. */
  readonly draws: number;
  readonly seed: number;
}

/** One policy at one share. */
export interface RecoveryRow {
  readonly policy: string;
  readonly share: number;
  /** Masked tokens that came back, of all. Those of one text are not independent: the interval is of texts. */
  readonly tokens: { readonly right: number; readonly n: number };
  /** Texts that came back whole. */
  readonly whole: Proportion;
  /** Forward passes per text. */
  readonly forwards: number;
}

export interface RecoveryTable {
  readonly schema: 'dllm-npu/recovery@1';
  readonly version: string;
  readonly model: { readonly name: string; readonly sha256: string };
  readonly options: RecoveryOptions;
  readonly texts: readonly string[];
  readonly rows: readonly RecoveryRow[];
  /** Policies that cannot fill in masks, and why. */
  readonly refused: readonly { readonly policy: string; readonly reason: string }[];
}

/**
 * Masks tokens of texts and lets every policy fill them in: how much comes back exactly.
 * @throws UsageError for an unknown model or policy; DataError for a text that the vocabulary cannot hold
 */
export async function runRecovery(
  options: RecoveryOptions,
  texts: readonly string[],
  { onProgress, signal }: { onProgress?: (done: number, total: number) => void; signal?: AbortSignal } = {},
): Promise<RecoveryTable> {
  const { policies, shares, draws, seed } = options;
  const model = await openModel(options.model);
  const { config, tokenizer, weights, weightsPath } = model;
  const engine = await openEngine(model, options);
  const rows: RecoveryRow[] = [];
  const refused: { policy: string; reason: string }[] = [];
  const fill = async (policy: string, { promptIds, given, truth, masked }: MaskedText) => {
    const spec = openSpec({ policy, options: {}, blockLength: null });
    const asked = { policy: openPolicy(spec), engine, promptIds, given, genLength: given.length, signal };
    const { tokens, counters } = await decode(asked);
    return { right: masked.filter((at) => tokens[at] === truth[at]).length, forwards: counters.nfe };
  };
  try {
    for (const [at, policy] of policies.entries()) {
      try {
        for (const share of shares) {
          const cases = texts.flatMap((text) =>
            Array.from({ length: draws }, (_, draw) =>
              maskText(config, tokenizer, text, { share, draw, seed }),
            ),
          );
          const filled: { right: number; forwards: number }[] = [];
          for (const one of cases) filled.push(await fill(policy, one));
          const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
          rows.push({
            policy,
            share,
            tokens: {
              right: total(filled.map(({ right }) => right)),
              n: total(cases.map(({ masked }) => masked.length)),
            },
            whole: wilson(
              filled.filter(({ right }, i) => right === cases[i].masked.length).length,
              cases.length,
            ),
            forwards: total(filled.map(({ forwards }) => forwards)) / cases.length,
          });
        }
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        refused.push({ policy, reason: error.message });
      }
      onProgress?.(at + 1, policies.length);
    }
  } finally {
    engine.dispose();
    await weights.close();
  }
  return {
    schema: 'dllm-npu/recovery@1',
    version: project().version,
    model: { name: config.name, sha256: await fileSha256(weightsPath) },
    options,
    texts,
    rows,
    refused,
  };
}
