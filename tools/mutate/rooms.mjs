/**
 * What is mutated, part by part, and which tests must notice: those of the room, cheapest first, because the first
 * test that fails ends the run of a mutant. Tests that start phones, native engines or other processes are left out;
 * they would see no mutant anyway. Each part is one run of Stryker, and so one checkpoint.
 */
const DECODE_TESTS = [
  'test/decode/{rules,commit,refresh,confidence,sampling,draft-states,group-laws,guidance,stop,overrides,spec}.test.ts',
  'test/properties/decode-exact.test.ts',
  'test/oracle/plain-*.test.ts',
  'test/properties/decode-laws.test.ts',
];
const METHOD_TESTS = [
  ...DECODE_TESTS,
  'test/decode/{render,given-up,techniques,autoregressive,session,trace}.test.ts',
  'test/properties/decode-{equivalence,sampling}.test.ts',
];
const LAW_TESTS = [
  'test/decode/{transition-law,stop-law,attention-law,group-laws}.test.ts',
  'test/decode/check-laws.test.ts',
  'test/decode/{given-up,trace}.test.ts',
  'test/properties/decode-laws.test.ts',
];
const MEMORY_TESTS = [
  'test/sim/memory/*.test.ts',
  'test/properties/sim-memory.test.ts',
  'test/sim/energy/*.test.ts',
  'test/sim/machine/{machine,activations}.test.ts',
];
const SIM_TESTS = [
  'test/sim/memory/*.test.ts',
  'test/sim/{energy,hardware,machine,sensitivity,stacks,workload}/*.test.ts',
  'test/properties/sim-*.test.ts',
];

export const ROOMS = {
  statistics: {
    goal: 80,
    tests: ['test/score/{paired,proportion,samples}.test.ts', 'test/experiments/ladder-*.test.ts'],
    parts: { statistics: ['src/score/statistics/**/*.ts'] },
  },
  decode: {
    goal: 90,
    tests: DECODE_TESTS,
    parts: {
      laws: { files: ['src/decode/laws/**/*.ts'], tests: LAW_TESTS },
      method: { files: ['src/decode/method/**/*.ts'], tests: METHOD_TESTS },
      window: ['src/decode/rules/window/**/*.ts', 'src/decode/rules/cache/**/*.ts'],
      speculate: ['src/decode/rules/speculate/**/*.ts', 'src/decode/rules/refresh/**/*.ts', 'src/decode/rules/revoke/**/*.ts'],
      commit: ['src/decode/rules/commit/**/*.ts', 'src/decode/rules/final/**/*.ts', 'src/decode/rules/logits/**/*.ts'],
      sampling: ['src/decode/rules/sampling/**/*.ts', 'src/decode/rules/confidence/**/*.ts'],
      rules: ['src/decode/rules/settings/**/*.ts', 'src/decode/rules/*.ts'],
      canvas: { files: ['src/decode/canvas/**/*.ts', 'src/decode/*.ts'], tests: METHOD_TESTS },
      trace: { files: ['src/decode/trace/**/*.ts'], tests: METHOD_TESTS },
    },
  },
  verifier: {
    goal: 90,
    tests: ['test/engine/verify-closure.test.ts', 'test/oracle/plain-passes.test.ts', 'test/engine/verify.test.ts'],
    parts: {
      verify: ['src/engine/verify/{parts,closure,verify}.ts'],
      verdicts: {
        files: ['src/engine/verify/verify-policy.ts'],
        tests: ['test/engine/verify-policy-verdicts.test.ts', 'test/engine/verify-policy.test.ts'],
        /** They replace modules. */
        isolate: true,
      },
    },
  },
  engine: {
    goal: 80,
    tests: [
      'test/engine/kv-store.test.ts',
      'test/engine/compare/*.test.ts',
      'test/decode/*.test.ts',
      'test/model/pass-shape.test.ts',
      'test/engine/tfjs-engine.test.ts',
      'test/oracle/plain-*.test.ts',
    ],
    parts: {
      pass: ['src/pass/**/*.ts', 'src/engine/kv-store.ts'],
      compare: ['src/engine/compare/**/*.ts'],
    },
  },
  memory: {
    goal: 80,
    tests: MEMORY_TESTS,
    parts: { memory: ['sim/memory/**/*.ts'], energy: ['sim/energy/**/*.ts'] },
  },
  lab: {
    goal: 80,
    tests: [
      'test/experiments/lab/*.test.ts',
      'test/experiments/sweep/{expand,slurm,store,decode-kind}.test.ts',
      'test/experiments/*.test.ts',
    ],
    parts: {
      store: ['experiments/lab/*.ts'],
      kinds: ['experiments/lab/kinds/**/*.ts', 'experiments/lab/deciders/**/*.ts'],
    },
  },
  machine: {
    goal: 80,
    tests: SIM_TESTS,
    parts: { machine: ['sim/machine/*.ts'], lower: ['sim/machine/lower/**/*.ts'] },
  },
};

/** The parts of all rooms, in order: one run of Stryker each. */
export const PARTS = Object.entries(ROOMS).flatMap(([room, { tests, parts }]) =>
  Object.entries(parts).map(([part, of]) =>
    Array.isArray(of) ? { room, part, isolate: false, tests, mutate: of } : { room, part, isolate: of.isolate ?? false, tests: of.tests, mutate: of.files },
  ),
);
