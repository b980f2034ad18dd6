import { globSync } from 'tinyglobby';

/**
 * What faults are planted in, room by room, and which tests must notice: those of the room, cheapest first, because the first
 * test that fails ends the trial of a fault. Tests that start phones, native engines or other processes are left out; they would
 * see no fault anyway. `isolate`: of tests that replace modules, each file has modules of its own. `of`: tests that run every policy and
 * notice little but what they are about try faults there alone.
 */
export const ROOMS = {
  statistics: {
    goal: 80,
    sources: ['src/score/statistics/**/*.ts'],
    tests: ['test/score/{paired,proportion,samples}.test.ts', 'test/experiments/ladder-*.test.ts'],
  },
  verifier: {
    goal: 90,
    sources: ['src/engine/verify/**/*.ts', 'src/engine/margins.ts', 'cli/print-verdict.ts'],
    tests: [
      'test/engine/{verify-by-hand,verify-closure,first-difference,asked-beside,prefix-rows}.test.ts',
      'test/cli/print-verdict.test.ts',
      'test/oracle/plain-passes.test.ts',
      'test/engine/verify-policy-verdicts.test.ts',
      'test/engine/verify{-families,,-policy}.test.ts',
    ],
    isolate: true,
  },
  engine: {
    goal: 80,
    sources: ['src/pass/**/*.ts', 'src/engine/{kv-store,prefix-rows,group-routing,cooperative}.ts', 'src/engine/compare/**/*.ts'],
    tests: [
      'test/pass/*.test.ts',
      'test/engine/{kv-store,prefix-rows,group-routing,cooperative}.test.ts',
      'test/model/{pass-shape,blocks-of-a-pass}.test.ts',
      'test/engine/compare/*.test.ts',
      'test/decode/{group-laws,attention-law,rules,commit,refresh,draft-states,guidance,session,check-laws}.test.ts',
      'test/engine/tfjs-engine.test.ts',
      'test/oracle/plain-*.test.ts',
    ],
  },
  decode: {
    goal: 90,
    sources: ['src/decode/**/*.ts'],
    tests: [
      'test/decode/{rule-tables,commit-borders,borders,one-step,counters,rules,commit,refresh,confidence,sampling,draft-states,group-laws,guidance,stop,overrides,spec}.test.ts',
      'test/decode/{canvas,plan-cases,score-pass,option-reasons,pinned,rule-cases,trace-lines,step-law,pass-law,record-law,trajectories}.test.ts',
      'test/decode/{transition-law,stop-law,attention-law,check-laws,given-up,render,techniques,autoregressive,session,indel,self-speculation}.test.ts',
      'test/decode/trajectory-records.test.ts',
      'test/oracle/plain-*.test.ts',
      'test/decode/{fits,every-fit,follow-model,open-parameters,trace}.test.ts',
      'test/properties/decode-exact.test.ts',
      'test/properties/decode-{laws,equivalence,sampling}.test.ts',
    ],
    of: {
      'test/decode/trajectory-records.test.ts': 'src/decode/laws/',
      'test/decode/{fits,every-fit,follow-model}.test.ts': 'src/decode/method/',
      'test/decode/trace.test.ts': 'src/decode/trace/',
      'test/properties/decode-{exact,laws,equivalence,sampling}.test.ts': 'src/decode/method/',
      'test/decode/open-parameters.test.ts': 'src/decode/option-reasons.ts',
    },
  },
  machine: {
    goal: 80,
    sources: ['sim/machine/**/*.ts'],
    tests: [
      ...['schedules', 'lowering', 'operators', 'memory', 'steps'].map((name) => `test/sim/costs/${name}.test.ts`),
      'test/sim/machine/{pipeline,lower-by-hand,prepare,kind,rates,kernels,windows-and-tables,task-spans,activations,side-work,join}.test.ts',
      'test/sim/{memory,energy,kernel,stacks}/*.test.ts',
      'test/sim/machine/{explain,task-trace}.test.ts',
      'test/properties/sim-{conservation,kernels,memory,time}.test.ts',
      'test/sim/machine/machine.test.ts',
      'test/sim/workload/*.test.ts',
    ],
  },
  lab: {
    goal: 80,
    sources: ['experiments/lab/**/*.ts'],
    tests: [
      'test/experiments/lab/{process,observed,records}.test.ts',
      'test/experiments/lab/{masking,plans}.test.ts',
      'test/experiments/{metric,decided,shapley,compare,open-parameters}.test.ts',
      'test/experiments/lab/{deciders,remembers,runner,pool,kinds}.test.ts',
      'test/experiments/sweep/{expand,slurm,store,decode-kind}.test.ts',
      'test/experiments/lab/{lab,models,runs-and-inputs,rooms,code-version}.test.ts',
      'test/experiments/{reproduce-statistics,workload}.test.ts',
      'test/experiments/lab/{synthetic,identity}.test.ts',
    ],
    isolate: true,
  },
  memory: {
    goal: 80,
    sources: ['sim/memory/**/*.ts', 'sim/energy/**/*.ts'],
    tests: ['test/sim/costs/{memory,steps}.test.ts', 'test/sim/{memory,energy}/*.test.ts', 'test/sim/machine/{machine,activations}.test.ts', 'test/properties/sim-memory.test.ts'],
  },
};

const files = (patterns) => [...new Set(patterns.flatMap((pattern) => globSync(pattern).sort()))];

/** A room with its files in place of their patterns. */
export function roomOf(name) {
  const { sources, tests, isolate = false, of = {}, goal } = ROOMS[name];
  const about = new Map(Object.entries(of).flatMap(([pattern, source]) => files([pattern]).map((test) => [test, source])));
  return { name, goal, isolate, sources: files(sources), tests: files(tests), about };
}
