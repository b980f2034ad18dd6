import type { PolicySpec } from '../../src/decode/spec.js';
import type { Engine } from '../../src/engine/engine.js';
import type { EngineName } from '../../src/engine/registry.js';
import { useBackend } from '../../src/engine/tfjs/backend.js';
import { loadWeightTensors } from '../../src/engine/tfjs/weight-tensors.js';
import { type PolicyReport, verifyPolicy } from '../../src/engine/verify/verify-policy.js';
import type { TextModel } from './open.js';
import type { ChosenProblem } from './problems.js';

/** What is verified on what. */
export interface VerifyRequest {
  readonly model: TextModel;
  readonly specs: readonly PolicySpec[];
  readonly engines: readonly EngineName[];
  readonly problems: readonly ChosenProblem[];
  readonly genLength: number;
  /** Every n-th step is recomputed; every token is compared in any case. */
  readonly every: number;
  /** Called once per engine; it is disposed here. */
  readonly openEngine: (name: EngineName) => Promise<Engine>;
  readonly signal?: AbortSignal;
  /** Decoded problems of all policies on all engines. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** One report per engine and policy, engines outermost: what each preserves, recomputed without cache or window. */
export async function verifyPolicies(request: VerifyRequest): Promise<PolicyReport[]> {
  const { model, specs, engines, problems, genLength, every, signal, onProgress } = request;
  const total = engines.length * specs.length * problems.length;
  await useBackend('wasm');
  const weights = await loadWeightTensors(model.config, model.weights);
  const reports: PolicyReport[] = [];
  try {
    for (const name of engines) {
      const engine = await request.openEngine(name);
      try {
        for (const spec of specs) {
          const before = reports.length * problems.length;
          const job = { engine, weights, spec, problems, genLength, every, signal };
          const report = await verifyPolicy({
            ...job,
            onProgress: (done) => onProgress?.(before + done, total),
          });
          reports.push(report);
        }
      } finally {
        engine.dispose();
      }
    }
  } finally {
    weights.dispose();
  }
  return reports;
}

/** Policies whose tokens differ between the engines: a near-tie fell the other way. */
export function engineDifferences(reports: readonly PolicyReport[]): string[] {
  const first = new Map<string, PolicyReport>();
  const found: string[] = [];
  for (const report of reports) {
    const other = first.get(report.policy);
    if (other === undefined) first.set(report.policy, report);
    else if (other.textHash !== report.textHash) found.push(report.policy);
  }
  return found;
}
